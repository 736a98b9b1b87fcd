import { describe, expect, it } from "vitest";
import type { FailureAction } from "../../src/failure.ts";
import type { RoutedMessage } from "../../src/message.ts";
import {
  batchOf,
  type BatchProcessorRig,
  batchProcessorRig,
  retrying,
} from "../support/batch-processor-rig.ts";

const hundred = Array.from({ length: 100 }, (_, index) => index);

/** Throws for a batch with one of these in it. */
function poisonedBy(...poison: readonly unknown[]): (messages: readonly RoutedMessage[]) => void {
  return (messages) => {
    if (messages.some(({ data }) => poison.includes(data))) throw new Error("poisoned");
  };
}

function bisecting(
  handler: (messages: readonly RoutedMessage[]) => unknown,
  action: FailureAction = "deadLetter",
): BatchProcessorRig {
  return batchProcessorRig({ bisect: true, handler, decide: () => ({ action, delay: 10 }) });
}

describe("BatchProcessorStage with bisect", () => {
  it.each([0, 37, 99])(
    "isolates the one poison message among 100 at %i in a logarithmic number of calls",
    (poison) => {
      const { stage, calls, gaveUp, succeeded } = bisecting(poisonedBy(poison));
      stage.push(batchOf(...hundred));
      expect(gaveUp.map(({ data }) => data)).toEqual([poison]);
      expect(succeeded.length).toBe(99);
      // The whole, and two halves on each of at most seven levels.
      expect(calls.length).toBeLessThanOrEqual(15);
    },
  );

  it("isolates several", () => {
    const { stage, gaveUp, succeeded } = bisecting(poisonedBy(3, 50, 51));
    stage.push(batchOf(...hundred));
    expect(new Set(gaveUp.map(({ data }) => data))).toEqual(new Set([3, 50, 51]));
    expect(gaveUp.length).toBe(3);
    expect(new Set(succeeded)).toEqual(new Set(hundred.filter((n) => ![3, 50, 51].includes(n))));
  });

  it("ends even if every message is poison, with each given up once", () => {
    const { stage, calls, gaveUp } = bisecting(poisonedBy(...hundred));
    stage.push(batchOf(...hundred));
    expect(new Set(gaveUp.map(({ data }) => data)).size).toBe(100);
    expect(gaveUp.length).toBe(100);
    expect(calls.length).toBe(199);
  });

  it("uses its attempts up before it halves, and gives a part only one", async () => {
    const { stage, clock, handled } = batchProcessorRig({
      bisect: true,
      decide: retrying(3, 10, "fail"),
      handler: poisonedBy("b"),
    });
    stage.push(batchOf("a", "b"));
    await clock.advance(1000);
    expect(handled()).toEqual([["a", "b"], ["a", "b"], ["a", "b"], ["a"], ["b"]]);
  });

  it("tells each part its own size and bytes, and one more attempt", () => {
    const { stage, calls } = bisecting(poisonedBy("a"));
    stage.push(batchOf("a", "b", "c"));
    expect(calls.map(({ batch }) => [batch.attempt, batch.size])).toEqual([
      [1, 3],
      [2, 1],
      [2, 2],
    ]);
  });

  it("does not halve for messages that were failed one by one", () => {
    const { stage, calls, gaveUp } = bisecting((messages) => messages[0]?.fail("bad"));
    stage.push(batchOf("a", "b"));
    expect(calls.length).toBe(1);
    expect(gaveUp).toMatchObject([{ data: "a", reason: "bad" }]);
  });

  it("holds only the poison message, and keeps trying it", async () => {
    let poisoned = true;
    const { stage, clock, succeeded, gaveUp } = bisecting((messages) => {
      if (poisoned && messages.some(({ data }) => data === 37)) throw new Error("poisoned");
    }, "hold");
    stage.push(batchOf(...hundred));
    await clock.advance(1000);
    expect(succeeded.length).toBe(99);
    expect(stage.waiting).toBe(1);
    poisoned = false;
    await clock.advance(10);
    expect(succeeded.at(-1)).toBe(37);
    expect(gaveUp).toEqual([]);
  });

  it("drops only the poison message", () => {
    const { stage, gaveUp, succeeded } = bisecting(poisonedBy(37), "drop");
    stage.push(batchOf(...hundred));
    expect(gaveUp).toMatchObject([{ data: 37, action: "drop" }]);
    expect(succeeded.length).toBe(99);
  });

  it("keeps the order of each partition, over the halves and for what comes behind", () => {
    const order: unknown[] = [];
    const { stage } = batchProcessorRig({
      bisect: true,
      concurrency: 4,
      partitionBy: ({ data }) => (data as number) % 2,
      handler: poisonedBy(5),
      succeeded: (messages) => void order.push(...messages.map(({ data }) => data)),
      gaveUp: ({ data }) => void order.push(data),
    });
    stage.push(batchOf(...hundred.slice(0, 50)));
    stage.push(batchOf(...hundred.slice(50)));
    for (const rest of [0, 1]) {
      const of = order.filter((data) => (data as number) % 2 === rest);
      expect(of).toEqual(hundred.filter((data) => data % 2 === rest));
    }
  });

  it("keeps the partition of a held poison message waiting while others flow", async () => {
    const { stage, clock, succeeded } = batchProcessorRig({
      bisect: true,
      partitionBy: ({ data }) => (data as string).charAt(0),
      decide: () => ({ action: "hold", delay: 10 }),
      handler: poisonedBy("a1"),
    });
    stage.push(batchOf("a1", "b1"));
    stage.push(batchOf("a2"));
    stage.push(batchOf("b2"));
    await clock.advance(100);
    expect(succeeded).toEqual(["b1", "b2"]);
  });
});
