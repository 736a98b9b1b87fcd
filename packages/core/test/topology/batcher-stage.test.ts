import { describe, expect, it } from "vitest";
import { HandlerResultError } from "../../src/errors.ts";
import type { RoutedMessage } from "../../src/message.ts";
import { batcherRig } from "../support/batcher-rig.ts";
import { routed } from "../support/routed.ts";

describe("BatcherStage", () => {
  it("emits a batch as soon as it has `size` messages, in order of arrival", () => {
    const { stage, emitted } = batcherRig({ size: 3 });
    for (const data of [1, 2, 3, 4]) stage.push(routed(data));
    expect(emitted).toEqual([["size", 1, 2, 3]]);
    expect(stage.waiting).toBe(1);
  });

  it("says in the batch what it was made by and how much is in it", () => {
    const { stage, batches } = batcherRig({ size: 2 });
    stage.push(routed("a", { key: "k", size: 3 }));
    stage.push(routed("b", { key: "k", size: 4 }));
    expect(batches.map(({ info }) => info)).toEqual([
      {
        batcher: "b",
        key: "k",
        partition: undefined,
        size: 2,
        bytes: 7,
        trigger: "size",
        attempt: 1,
      },
    ]);
  });

  it("emits what is there when a message brings it to `bytes` exactly", () => {
    const { stage, emitted } = batcherRig({ size: 10, bytes: 10 });
    stage.push(routed("a", { size: 4 }));
    stage.push(routed("b", { size: 6 }));
    expect(emitted).toEqual([["bytes", "a", "b"]]);
  });

  it("emits what is there before a message that would exceed `bytes`", () => {
    const { stage, emitted } = batcherRig({ size: 10, bytes: 10 });
    stage.push(routed("a", { size: 6 }));
    stage.push(routed("b", { size: 6 }));
    expect(emitted).toEqual([["bytes", "a"]]);
    expect(stage.waiting).toBe(1);
  });

  it("gives a message larger than `bytes` a batch of its own", () => {
    const { stage, emitted } = batcherRig({ size: 10, bytes: 10 });
    stage.push(routed("small", { size: 1 }));
    stage.push(routed("large", { size: 11 }));
    expect(emitted).toEqual([
      ["bytes", "small"],
      ["bytes", "large"],
    ]);
  });

  it("counts weights towards `size`, and never exceeds it unless by a single message", () => {
    const weight = ({ data }: RoutedMessage): number => data as number;
    const { stage, emitted } = batcherRig({ size: 10, weight });
    for (const data of [4, 5, 3, 7, 12]) stage.push(routed(data));
    expect(emitted).toEqual([
      ["size", 4, 5],
      ["size", 3, 7],
      ["size", 12],
    ]);
  });

  it("lets messages without weight fill no batch", () => {
    const { stage, emitted } = batcherRig({ size: 1, weight: () => 0 });
    for (const data of [1, 2, 3]) stage.push(routed(data));
    expect(emitted).toEqual([]);
    expect(stage.waiting).toBe(3);
  });

  it.each([NaN, Infinity, -Infinity, -1, "1", undefined, null, 1n])(
    "fails a message of weight %s alone",
    (nonsense) => {
      const weight = ({ data }: RoutedMessage): number => (data === "bad" ? nonsense : 1) as number;
      const { stage, emitted, failures } = batcherRig({ size: 2, weight });
      for (const data of ["a", "bad", "b"]) stage.push(routed(data));
      expect(failures).toEqual([{ data: "bad", error: expect.any(HandlerResultError) }]);
      expect(emitted).toEqual([["size", "a", "b"]]);
    },
  );

  it.each([NaN, Infinity, -1, "1"])("fails a message of %s bytes alone", (nonsense) => {
    const { stage, emitted, failures } = batcherRig({ size: 9, bytes: 2 });
    stage.push(routed("a", { size: 1 }));
    stage.push(routed("bad", { size: nonsense as number }));
    stage.push(routed("b", { size: 1 }));
    expect(failures).toEqual([{ data: "bad", error: expect.any(HandlerResultError) }]);
    expect(emitted).toEqual([["bytes", "a", "b"]]);
  });

  it("fails a message whose weight throws with what was thrown, alone", () => {
    const thrown = new Error("no weight");
    const weight = ({ data }: RoutedMessage): number => {
      if (data === "bad") throw thrown;
      return 1;
    };
    const { stage, emitted, failures } = batcherRig({ size: 1, weight });
    for (const data of ["bad", "good"]) stage.push(routed(data));
    expect(failures).toEqual([{ data: "bad", error: thrown }]);
    expect(emitted).toEqual([["size", "good"]]);
  });

  it("ends a batch with the message `splitBy` says, and begins the next with an accumulator of its own", () => {
    const splitBy = (): ((message: RoutedMessage) => boolean) => {
      let sum = 0;
      return ({ data }) => (sum += data as number) >= 10;
    };
    const { stage, emitted } = batcherRig({ size: 100, splitBy });
    for (const data of [6, 6, 6, 3, 1, 9]) stage.push(routed(data));
    expect(emitted).toEqual([
      ["split", 6, 6],
      ["split", 6, 3, 1],
    ]);
    expect(stage.waiting).toBe(1);
  });

  it("keeps the accumulators of batch keys apart", () => {
    const splitBy = (): (() => boolean) => {
      let count = 0;
      return () => ++count === 2;
    };
    const { stage, emitted } = batcherRig({ size: 100, splitBy });
    for (const [key, data] of [
      ["x", 1],
      ["y", 2],
      ["y", 3],
      ["x", 4],
    ] as const) {
      stage.push(routed(data, { key }));
    }
    expect(emitted).toEqual([
      ["split", 2, 3],
      ["split", 1, 4],
    ]);
  });

  it("fails a message whose splitter throws alone, and emits no empty batch for it", async () => {
    const thrown = new Error("cannot split");
    const splitBy =
      () =>
      ({ data }: RoutedMessage): boolean => {
        if (data === "bad") throw thrown;
        return false;
      };
    const { stage, emitted, failures, clock } = batcherRig({ size: 100, splitBy });
    stage.push(routed("bad"));
    await clock.advance(1000);
    expect(failures).toEqual([{ data: "bad", error: thrown }]);
    expect(emitted).toEqual([]);
    stage.push(routed("good"));
    stage.push(routed("bad"));
    stage.drain();
    expect(emitted).toEqual([["flush", "good"]]);
  });

  it("fails a message for which no splitter can be made", () => {
    const thrown = new Error("no splitter");
    const splitBy = (): never => {
      throw thrown;
    };
    const { stage, failures } = batcherRig({ splitBy });
    stage.push(routed("a"));
    expect(failures).toEqual([{ data: "a", error: thrown }]);
    expect(stage.waiting).toBe(0);
  });

  it("emits a partial batch `timeout` ms after its first message, not sooner", async () => {
    const { stage, clock, emitted } = batcherRig({ timeout: 100 });
    stage.push(routed(1));
    await clock.advance(99);
    expect(emitted).toEqual([]);
    await clock.advance(1);
    expect(emitted).toEqual([["timeout", 1]]);
  });

  it("does not extend the timeout for later messages", async () => {
    const { stage, clock, emitted } = batcherRig({ size: 10, timeout: 100 });
    stage.push(routed(1));
    await clock.advance(60);
    stage.push(routed(2));
    await clock.advance(40);
    expect(emitted).toEqual([["timeout", 1, 2]]);
  });

  it("does not end a batch at the deadline of the one before it", async () => {
    const { stage, clock, emitted } = batcherRig({ size: 2, timeout: 100 });
    stage.push(routed(1));
    await clock.advance(90);
    stage.push(routed(2));
    stage.push(routed(3));
    await clock.advance(90);
    expect(emitted).toEqual([["size", 1, 2]]);
    await clock.advance(10);
    expect(emitted).toEqual([
      ["size", 1, 2],
      ["timeout", 3],
    ]);
  });

  it("times batch keys one by one", async () => {
    const { stage, clock, emitted } = batcherRig({ timeout: 100 });
    stage.push(routed("a", { key: 1 }));
    await clock.advance(50);
    stage.push(routed("b", { key: 2 }));
    await clock.advance(50);
    expect(emitted).toEqual([["timeout", "a"]]);
    await clock.advance(50);
    expect(emitted).toEqual([
      ["timeout", "a"],
      ["timeout", "b"],
    ]);
  });

  it("never emits an empty batch", async () => {
    const { stage, clock, emitted } = batcherRig({ size: 1, timeout: 100 });
    stage.push(routed(1));
    stage.flushOldest();
    stage.drain();
    await clock.advance(1000);
    expect(emitted).toEqual([["size", 1]]);
  });

  it("emits the batch as soon as a message that flushes is in it, the ones before it included", () => {
    const { stage, emitted } = batcherRig();
    stage.push(routed(1));
    stage.push(routed(2, { flush: true }));
    stage.push(routed(3));
    expect(emitted).toEqual([["flush", 1, 2]]);
  });

  it("flushes no batch of another key", () => {
    const { stage, emitted } = batcherRig();
    stage.push(routed(1, { key: "a" }));
    stage.push(routed(2, { key: "b", flush: true }));
    expect(emitted).toEqual([["flush", 2]]);
  });

  it("names the size as the trigger when the message that flushes fills the batch", () => {
    const { stage, emitted } = batcherRig({ size: 2 });
    stage.push(routed(1));
    stage.push(routed(2, { flush: true }));
    expect(emitted).toEqual([["size", 1, 2]]);
  });

  it("takes keys of different types for different keys", () => {
    const { stage, emitted } = batcherRig({ size: 2 });
    for (const key of [1, "1", 1n, undefined, "undefined"]) stage.push(routed(key, { key }));
    expect(emitted).toEqual([]);
    expect(stage.waiting).toBe(5);
  });

  it("keeps the batch without a key while batches with keys come and go", () => {
    const { stage, emitted } = batcherRig({ size: 2 });
    stage.push(routed(1));
    stage.push(routed("x", { key: "k" }));
    stage.push(routed("y", { key: "k" }));
    stage.push(routed(2));
    expect(emitted).toEqual([
      ["size", "x", "y"],
      ["size", 1, 2],
    ]);
  });
});
