import { describe, expect, it } from "vitest";

import type { BatchProcessorStageOptions } from "../../src/topology/batch-processor-stage.ts";
import {
  batchOf,
  batchProcessorRig,
  type BatchProcessorRig,
  type Call,
  emitted,
  retrying,
} from "../support/batch-processor-rig.ts";
import { routed } from "../support/routed.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";

const call = (calls: readonly Call[], index: number): Call => calls[index] as Call;

/** One batch after the other, each ended. */
async function callTwice(
  stage: BatchProcessorRig["stage"],
  clock: BatchProcessorRig["clock"],
  calls: readonly Call[],
): Promise<void> {
  for (const index of [0, 1]) {
    stage.push(batchOf(index));
    call(calls, index).resolve(undefined);
    await clock.settle();
  }
}

/** A stage whose handler takes so many milliseconds of the thread. */
function slowRig(milliseconds: number): BatchProcessorRig {
  const clock = virtualClock();
  let worked = 0;
  const working = { ...clock, now: () => clock.now() + worked };
  const rig = batchProcessorRig({ clock: working, handler: () => void (worked += milliseconds) });
  return { ...rig, clock };
}

const withoutOver: BatchProcessorStageOptions["start"] = (messages) =>
  messages.filter(({ data }) => data !== "over");

describe("BatchProcessorStage", () => {
  it("runs up to `concurrency` batches at once, the others in order after them", async () => {
    const { stage, clock, calls, handled } = batchProcessorRig({ concurrency: 2 });
    for (const data of ["a", "b", "c", "d"]) stage.push(batchOf(data));
    expect(handled()).toEqual([["a"], ["b"]]);
    expect([stage.running, stage.queued]).toEqual([2, 2]);
    call(calls, 1).resolve(undefined);
    await clock.settle();
    expect(handled()).toEqual([["a"], ["b"], ["c"]]);
  });

  it("gives the event loop a turn after some milliseconds of batches whose handler is synchronous", async () => {
    const { stage, clock, handled } = slowRig(3);
    for (let data = 0; data < 5; data++) stage.push(batchOf(data));
    expect(handled()).toEqual([[0], [1]]);
    expect([stage.running, stage.queued]).toEqual([0, 3]);
    await clock.settle();
    expect(handled()).toEqual([[0], [1], [2], [3], [4]]);
    expect(stage.queued).toBe(0);
  });

  it("starts nothing that waits for the event loop once it is killed", async () => {
    const { stage, clock, handled } = slowRig(5);
    stage.push(batchOf("a"));
    stage.push(batchOf("b"));
    stage.kill("over");
    await clock.settle();
    expect(handled()).toEqual([["a"]]);
  });

  it("starts more when its concurrency is raised, and none above a lowered one", async () => {
    const { stage, clock, calls } = batchProcessorRig({ concurrency: 1 });
    for (let data = 0; data < 5; data++) stage.push(batchOf(data));
    stage.resize(3);
    expect(stage.running).toBe(3);
    stage.resize(1);
    call(calls, 0).resolve(undefined);
    call(calls, 1).resolve(undefined);
    await clock.settle();
    expect([stage.running, stage.queued]).toEqual([1, 2]);
  });

  it("succeeds every message of a batch whose handler ends well, and no other", async () => {
    const { stage, clock, calls, succeeded } = batchProcessorRig({ concurrency: 2 });
    stage.push(batchOf("a", "b"));
    stage.push(batchOf("c"));
    call(calls, 0).resolve(undefined);
    await clock.settle();
    expect(succeeded).toEqual(["a", "b"]);
  });

  it("counts what is queued, running and waiting, and comes back to nothing", async () => {
    const { stage, clock, calls } = batchProcessorRig({ decide: retrying(2, 10) });
    stage.push(batchOf(1, 2));
    stage.push(batchOf(3));
    call(calls, 0).reject("no");
    await clock.settle();
    expect([stage.queued, stage.running, stage.waiting]).toEqual([0, 1, 2]);
    await clock.advance(10);
    expect([stage.queued, stage.running, stage.waiting]).toEqual([2, 1, 0]);
    call(calls, 1).resolve(undefined);
    await clock.settle();
    call(calls, 2).resolve(undefined);
    await clock.settle();
    expect([stage.queued, stage.running, stage.waiting, stage.partitions]).toEqual([0, 0, 0, 0]);
    expect(stage.retries).toBe(1);
  });

  it("gives each call a signal of its own where the handler declares one", async () => {
    const { stage, clock, calls } = batchProcessorRig({ ownSignal: true });
    await callTwice(stage, clock, calls);
    expect(call(calls, 1).signal).not.toBe(call(calls, 0).signal);
  });

  it("uses a signal again where the handler declares none", async () => {
    const { stage, clock, calls } = batchProcessorRig({ ownSignal: false });
    await callTwice(stage, clock, calls);
    expect(call(calls, 1).signal).toBe(call(calls, 0).signal);
  });

  it("never uses a signal again that has been aborted, nor one of a call that goes on", async () => {
    const { stage, clock, calls } = batchProcessorRig({
      ownSignal: false,
      handleTimeout: 10,
      concurrency: 2,
    });
    stage.push(batchOf("late"));
    stage.push(batchOf("beside"));
    await clock.advance(10);
    stage.push(batchOf("after"));
    const signals = [0, 1, 2].map((index) => call(calls, index).signal);
    expect(new Set(signals).size).toBe(3);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, false]);
  });

  it("leaves out messages that are over, and does not call the handler for none", () => {
    const { stage, handled } = batchProcessorRig({ start: withoutOver });
    stage.push(batchOf("over"));
    stage.push(emitted(routed("over", { size: 3 }), routed("a", { size: 4 })));
    expect(handled()).toEqual([["a"]]);
    expect(stage.running).toBe(1);
  });

  it("tells the handler the size and bytes of what it is given, not of what was emitted", () => {
    const { stage, calls } = batchProcessorRig({ start: withoutOver });
    stage.push(emitted(routed("over", { size: 3 }), routed("a", { size: 4 })));
    expect(call(calls, 0).batch).toMatchObject({ size: 1, bytes: 4, trigger: "size" });
  });

  it("goes through thousands of batches whose handler ends at once without growing the stack", async () => {
    let first = true;
    const { stage, clock, calls, succeeded } = batchProcessorRig({
      handler: () => {
        if (!first) return undefined;
        first = false;
        return new Promise<void>((resolve) => setImmediate(resolve));
      },
    });
    for (let data = 0; data < 50_000; data++) stage.push(batchOf(data));
    await clock.settle();
    expect(calls.length).toBe(50_000);
    expect(succeeded.length).toBe(50_000);
  });
});

describe("BatchProcessorStage, when an attempt fails", () => {
  it("tries the whole batch again after the delay, and counts attempts", async () => {
    const { stage, clock, calls, handled, succeeded } = batchProcessorRig({
      decide: retrying(3, 50),
    });
    stage.push(batchOf("a", "b"));
    call(calls, 0).reject(new Error("first"));
    await clock.advance(49);
    expect(handled()).toEqual([["a", "b"]]);
    await clock.advance(1);
    expect(handled()).toEqual([
      ["a", "b"],
      ["a", "b"],
    ]);
    expect(calls.map(({ batch }) => batch.attempt)).toEqual([1, 2]);
    call(calls, 1).resolve(undefined);
    await clock.settle();
    expect(succeeded).toEqual(["a", "b"]);
  });

  it("gives up each message with the reason once attempts are used up", async () => {
    const { stage, clock, gaveUp } = batchProcessorRig({
      decide: retrying(2, 1),
      handler: () => Promise.reject("broken"),
    });
    stage.push(batchOf("a", "b"));
    await clock.advance(10);
    expect(gaveUp).toEqual(
      ["a", "b"].map((data) => ({ data, reason: "broken", action: "fail", attempt: 2 })),
    );
  });

  it("lets other batches run while one waits for its next attempt", async () => {
    const { stage, clock, calls, handled } = batchProcessorRig({ decide: retrying(2, 1000) });
    stage.push(batchOf("a"));
    stage.push(batchOf("b"));
    call(calls, 0).reject("no");
    await clock.settle();
    expect(handled()).toEqual([["a"], ["b"]]);
  });

  it("tries again only the messages that were failed one by one", async () => {
    const { stage, clock, handled, succeeded } = batchProcessorRig({
      decide: retrying(2, 10),
      handler(messages, { attempt }) {
        if (attempt === 1) messages[1]?.fail("bad");
      },
    });
    stage.push(batchOf("a", "b", "c"));
    expect(succeeded).toEqual(["a", "c"]);
    await clock.advance(10);
    expect(handled()).toEqual([["a", "b", "c"], ["b"]]);
    expect(succeeded).toEqual(["a", "c", "b"]);
  });

  it("asks the policy about each message that was failed, with its own reason", async () => {
    const { stage, gaveUp } = batchProcessorRig({
      decide: (error) => ({ action: error === "drop me" ? "drop" : "deadLetter", delay: 0 }),
      handler(messages) {
        messages[0]?.fail("keep me");
        messages[2]?.fail("drop me");
      },
    });
    stage.push(batchOf("a", "b", "c"));
    expect(gaveUp).toEqual([
      { data: "a", reason: "keep me", action: "deadLetter", attempt: 1 },
      { data: "c", reason: "drop me", action: "drop", attempt: 1 },
    ]);
  });

  it("drops what was dropped and succeeds the rest", () => {
    const { stage, gaveUp, succeeded } = batchProcessorRig({
      handler: (messages) => messages[0]?.drop("not wanted"),
    });
    stage.push(batchOf("a", "b"));
    expect(gaveUp).toEqual([{ data: "a", reason: "not wanted", action: "drop", attempt: 1 }]);
    expect(succeeded).toEqual(["b"]);
  });

  it("drops what was dropped before the handler threw, and tries the rest again without it", async () => {
    const { stage, clock, handled, gaveUp } = batchProcessorRig({
      decide: retrying(2, 10),
      handler(messages, { attempt }) {
        if (attempt > 1) return;
        messages[0]?.drop("not wanted");
        throw new Error("later");
      },
    });
    stage.push(batchOf("a", "b"));
    await clock.advance(10);
    expect(gaveUp).toMatchObject([{ data: "a", action: "drop" }]);
    expect(handled()).toEqual([["a", "b"], ["b"]]);
  });

  it("fails every message that the handler failed before it threw with what it threw", () => {
    const { stage, gaveUp } = batchProcessorRig({
      handler(messages) {
        messages[0]?.fail("mine");
        throw "all";
      },
    });
    stage.push(batchOf("a", "b"));
    expect(gaveUp.map(({ reason }) => reason)).toEqual(["all", "all"]);
  });

  it("forgets the verdict of one attempt in the next", async () => {
    const { stage, clock, succeeded } = batchProcessorRig({
      decide: retrying(3, 10),
      handler(messages, { attempt }) {
        if (attempt === 1) for (const message of messages) message.fail("once");
      },
    });
    stage.push(batchOf("a", "b"));
    await clock.advance(10);
    expect(succeeded).toEqual(["a", "b"]);
  });
});
