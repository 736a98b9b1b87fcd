import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HandlerResultError } from "../../src/errors.ts";
import type { RoutedMessage } from "../../src/message.ts";
import { batchOf, batchProcessorRig, type Call, retrying } from "../support/batch-processor-rig.ts";

const call = (calls: readonly Call[], index: number): Call => calls[index] as Call;
/** The partition is the first letter: "a1" and "a2" belong together. */
const partitionBy = ({ data }: RoutedMessage): string => (data as string).charAt(0);

describe("BatchProcessorStage with partitionBy", () => {
  it("handles batches that share a partition one after the other, in order, and others meanwhile", async () => {
    const { stage, clock, calls, handled } = batchProcessorRig({ concurrency: 9, partitionBy });
    for (const data of ["a1", "a2", "b1", "a3"]) stage.push(batchOf(data));
    expect(handled()).toEqual([["a1"], ["b1"]]);
    call(calls, 0).resolve(undefined);
    await clock.settle();
    expect(handled()).toEqual([["a1"], ["b1"], ["a2"]]);
    call(calls, 2).resolve(undefined);
    await clock.settle();
    expect(handled()).toEqual([["a1"], ["b1"], ["a2"], ["a3"]]);
  });

  it("holds a batch back that shares but one of its partitions", async () => {
    const { stage, clock, calls, handled } = batchProcessorRig({ concurrency: 9, partitionBy });
    stage.push(batchOf("a1", "b1"));
    stage.push(batchOf("b2", "c1"));
    stage.push(batchOf("c2"));
    expect(handled()).toEqual([["a1", "b1"]]);
    call(calls, 0).resolve(undefined);
    await clock.settle();
    expect(handled()).toEqual([
      ["a1", "b1"],
      ["b2", "c1"],
    ]);
  });

  it("keeps the partition over retries: what is behind waits, others flow", async () => {
    const { stage, clock, calls, handled } = batchProcessorRig({
      partitionBy,
      decide: retrying(3, 100),
    });
    for (const data of ["a1", "a2", "b1"]) stage.push(batchOf(data));
    call(calls, 0).reject("no");
    await clock.settle();
    expect(handled()).toEqual([["a1"], ["b1"]]);
    call(calls, 1).resolve(undefined);
    await clock.advance(100);
    expect(handled()).toEqual([["a1"], ["b1"], ["a1"]]);
    call(calls, 2).resolve(undefined);
    await clock.settle();
    expect(handled()).toEqual([["a1"], ["b1"], ["a1"], ["a2"]]);
  });

  it("frees the partitions of messages that are done while others of the batch are tried again", async () => {
    const { stage, clock, handled } = batchProcessorRig({
      partitionBy,
      decide: retrying(2, 100),
      handler(messages, { attempt }) {
        if (attempt === 1) for (const one of messages) if (one.data === "a1") one.fail("bad");
      },
    });
    stage.push(batchOf("a1", "b1"));
    stage.push(batchOf("b2"));
    stage.push(batchOf("a2"));
    expect(handled()).toEqual([["a1", "b1"], ["b2"]]);
    await clock.advance(100);
    expect(handled()).toEqual([["a1", "b1"], ["b2"], ["a1"], ["a2"]]);
  });

  it("does not order messages for which it gives nothing", () => {
    const { stage, calls } = batchProcessorRig({ concurrency: 9, partitionBy: () => undefined });
    for (const data of ["a1", "a2"]) stage.push(batchOf(data));
    expect(calls.length).toBe(2);
  });

  it("says which partition a batch is of if it is of one, and nothing if it is of several", () => {
    const { stage, calls } = batchProcessorRig({ concurrency: 9, partitionBy });
    stage.push(batchOf("a1", "a2"));
    stage.push(batchOf("b1", "c1"));
    expect(calls.map(({ batch }) => batch.partition)).toEqual(["a", undefined]);
  });

  it("says no partition if some messages have none", () => {
    const { stage, calls } = batchProcessorRig({
      partitionBy: ({ data }) => (data === "none" ? undefined : "p"),
    });
    stage.push(batchOf("some", "none"));
    expect(call(calls, 0).batch.partition).toBeUndefined();
  });

  it("says the partition of what is left when the rest is done", async () => {
    const { stage, clock, calls } = batchProcessorRig({
      partitionBy,
      decide: retrying(2, 10),
      handler: (messages, { attempt }) => (attempt === 1 ? messages[0]?.fail("bad") : undefined),
    });
    stage.push(batchOf("a1", "b1"));
    await clock.advance(10);
    expect(calls.map(({ batch }) => batch.partition)).toEqual([undefined, "a"]);
  });

  it("gives up a message alone whose partition cannot be had", () => {
    const thrown = new Error("no partition");
    const { stage, handled, gaveUp } = batchProcessorRig({
      partitionBy({ data }) {
        if (data === "throws") throw thrown;
        return data === "nonsense" ? (null as never) : "p";
      },
    });
    stage.push(batchOf("a", "throws", "nonsense", "b"));
    expect(handled()).toEqual([["a", "b"]]);
    expect(gaveUp).toMatchObject([
      { data: "throws", reason: thrown },
      { data: "nonsense", reason: expect.any(HandlerResultError) },
    ]);
  });

  it("does not hold a message for ever whose partition cannot be had", () => {
    const { stage, gaveUp } = batchProcessorRig({
      decide: () => ({ action: "hold", delay: 1 }),
      partitionBy() {
        throw new Error("no partition");
      },
    });
    stage.push(batchOf("a"));
    expect(gaveUp).toMatchObject([{ data: "a", action: "fail" }]);
    expect(stage.queued).toBe(0);
  });

  it("remembers no partition that is not in use", async () => {
    const { stage, clock, calls } = batchProcessorRig({ concurrency: 99, partitionBy });
    for (const data of ["a1", "b1", "c1"]) stage.push(batchOf(data));
    expect(stage.partitions).toBe(3);
    for (const one of calls) one.resolve(undefined);
    await clock.settle();
    expect(stage.partitions).toBe(0);
  });
});

describe("BatchProcessorStage with partitionBy, whatever handlers do", () => {
  const script = fc.record({
    batches: fc.array(fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 12,
    }),
    verdicts: fc.array(fc.constantFrom("ok", "throw", "fail one", "later"), { maxLength: 40 }),
    bisect: fc.boolean(),
    concurrency: fc.integer({ min: 1, max: 4 }),
  });

  it("never has two batches of a partition in the handler, keeps order, and settles each message once", async () => {
    await fc.assert(
      fc.asyncProperty(script, async ({ batches, verdicts, bisect, concurrency }) => {
        const running = new Map<string, number>();
        const settled: string[] = [];
        let calls = 0;
        const { stage, clock } = batchProcessorRig({
          concurrency,
          bisect,
          partitionBy,
          decide: retrying(2, 5),
          succeeded: (messages) => void settled.push(...messages.map(({ data }) => data as string)),
          gaveUp: ({ data }) => void settled.push(data as string),
          async handler(messages) {
            const partitions = new Set(messages.map(partitionBy));
            for (const key of partitions) {
              running.set(key, (running.get(key) ?? 0) + 1);
              expect(running.get(key)).toBe(1);
            }
            const verdict = verdicts[calls++] ?? "ok";
            await (verdict === "later"
              ? new Promise<void>((resolve) => clock.setTimer(resolve, 3))
              : undefined);
            for (const key of partitions) running.delete(key);
            if (verdict === "throw") throw new Error("no");
            if (verdict === "fail one") messages[0]?.fail("bad");
          },
        });
        let id = 0;
        const sent: string[] = [];
        for (const batch of batches) {
          const data = batch.map((key) => `${key}${String(id++).padStart(3, "0")}`);
          sent.push(...data);
          stage.push(batchOf(...data));
        }
        await clock.advance(2000);
        expect([...settled].sort()).toEqual([...sent].sort());
        expect([stage.queued, stage.running, stage.waiting, stage.partitions]).toEqual([
          0, 0, 0, 0,
        ]);
        // Within one batch a message may end before one that is tried again; batches keep their order.
        const batchOfMessage = new Map<string, number>();
        let at = 0;
        for (const [index, batch] of batches.entries()) {
          for (const _ of batch) batchOfMessage.set(sent[at++] as string, index);
        }
        for (const key of ["a", "b", "c"]) {
          const order = settled
            .filter((data) => data.startsWith(key))
            .map((data) => batchOfMessage.get(data) as number);
          expect(order).toEqual([...order].sort((a, b) => a - b));
        }
      }),
      { numRuns: 60 },
    );
  });
});
