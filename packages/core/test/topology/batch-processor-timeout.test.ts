import { describe, expect, it } from "vitest";
import { HandlerTimeoutError } from "../../src/errors.ts";
import { batchProcessorRig, batchOf, type Call, retrying } from "../support/batch-processor-rig.ts";

const call = (calls: readonly Call[], index: number): Call => calls[index] as Call;

describe("BatchProcessorStage with a timeout", () => {
  it("aborts the signal and fails the attempt, not sooner than the timeout", async () => {
    const { stage, clock, calls, gaveUp } = batchProcessorRig({ handleTimeout: 100 });
    stage.push(batchOf("a"));
    await clock.advance(99);
    expect(call(calls, 0).signal.aborted).toBe(false);
    expect(gaveUp).toEqual([]);
    await clock.advance(1);
    const { signal } = call(calls, 0);
    expect(signal.reason).toBeInstanceOf(HandlerTimeoutError);
    expect(gaveUp).toEqual([{ data: "a", reason: signal.reason, action: "fail", attempt: 1 }]);
  });

  it.each(["resolve", "reject"] as const)("ignores a late %s", async (way) => {
    const { stage, clock, calls, gaveUp, succeeded } = batchProcessorRig({ handleTimeout: 100 });
    stage.push(batchOf("a"));
    await clock.advance(100);
    call(calls, 0)[way]("late");
    await clock.settle();
    expect(succeeded).toEqual([]);
    expect(gaveUp.length).toBe(1);
  });

  it("does not take a late end of one attempt for the end of the next", async () => {
    const { stage, clock, calls, succeeded } = batchProcessorRig({
      handleTimeout: 100,
      decide: retrying(2, 10),
    });
    stage.push(batchOf("a"));
    await clock.advance(110);
    call(calls, 0).resolve("late");
    await clock.settle();
    expect(succeeded).toEqual([]);
    call(calls, 1).resolve(undefined);
    await clock.settle();
    expect(succeeded).toEqual(["a"]);
  });

  it.each(["fail", "drop"] as const)(
    "does not take a late %s of one attempt for a verdict on the next",
    async (verdict) => {
      const { stage, clock, calls, succeeded, gaveUp } = batchProcessorRig({
        handleTimeout: 100,
        decide: retrying(2, 10),
      });
      stage.push(batchOf("a"));
      await clock.advance(110);
      call(calls, 0).messages[0]?.[verdict]("late");
      call(calls, 1).resolve(undefined);
      await clock.settle();
      expect(succeeded).toEqual(["a"]);
      expect(gaveUp).toEqual([]);
    },
  );

  it("gives its place to the next batch", async () => {
    const { stage, clock, handled } = batchProcessorRig({ handleTimeout: 100 });
    stage.push(batchOf("a"));
    stage.push(batchOf("b"));
    await clock.advance(100);
    expect(handled()).toEqual([["a"], ["b"]]);
  });

  it("leaves no timer behind", async () => {
    const { stage, clock, calls } = batchProcessorRig({ handleTimeout: 100, concurrency: 2 });
    stage.push(batchOf("a"));
    stage.push(batchOf("b"));
    call(calls, 0).resolve(undefined);
    await clock.settle();
    expect(clock.timers).toBe(1);
    stage.kill(new Error("the end"));
    expect(clock.timers).toBe(0);
  });
});

describe("BatchProcessorStage, when it is killed", () => {
  it("aborts what runs with the reason, and lets nothing late count", async () => {
    const { stage, clock, calls, succeeded, gaveUp } = batchProcessorRig();
    const reason = new Error("the end");
    stage.push(batchOf("a"));
    stage.push(batchOf("b"));
    stage.kill(reason);
    expect(call(calls, 0).signal.reason).toBe(reason);
    call(calls, 0).resolve(undefined);
    await clock.settle();
    expect([succeeded, gaveUp, calls.length]).toEqual([[], [], 1]);
  });

  it("forgets what waits for its next attempt", async () => {
    const { stage, clock, calls } = batchProcessorRig({ decide: retrying(9, 10) });
    stage.push(batchOf("a"));
    call(calls, 0).reject("no");
    await clock.settle();
    stage.kill(new Error("the end"));
    await clock.advance(1000);
    expect([calls.length, clock.timers]).toEqual([1, 0]);
  });

  it("takes out what is over among what waits for its next attempt, and frees its partition", async () => {
    const { stage, clock, calls, handled } = batchProcessorRig({
      decide: retrying(9, 10),
      partitionBy: () => "p",
    });
    stage.push(batchOf("a"));
    stage.push(batchOf("b"));
    call(calls, 0).reject("no");
    await clock.settle();
    stage.sweep(({ data }) => data === "a");
    expect(handled()).toEqual([["a"], ["b"]]);
    expect(stage.waiting).toBe(0);
  });
});
