import { definePipeline, exponential, memory, retry } from "westend";
import { testPipeline, type VirtualClock, virtualClock } from "westend/testing";
import { describe, expect, it } from "vitest";
import { deferred } from "../support/deferred.ts";
import { order, orders } from "../support/orders.ts";

/** Gives time every chance to pass. */
async function expectStill(clock: VirtualClock): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await clock.settle();
  expect(clock.now()).toBe(0);
}

describe("virtualClock", () => {
  it.each([Number.NaN, -5, Infinity, "5s"])("does not advance by %j", async (milliseconds) => {
    const clock = virtualClock();

    await expect(clock.advance(milliseconds as never)).rejects.toThrow(
      "milliseconds: expected a finite number ≥ 0, got",
    );
    expect(clock.now()).toBe(0);
  });
});

describe("time in a pipeline under test", () => {
  it("passes by itself until an incomplete batch is emitted", async () => {
    await using pipeline = await testPipeline(orders);
    await pipeline.push(order("a", 1));
    expect(pipeline.clock.now()).toBe(500);
  });

  it("passes by itself until the next attempt", async () => {
    const attempts: number[] = [];
    await using pipeline = await testPipeline(
      definePipeline({
        name: "flaky",
        producer: memory<string>(),
        processor: {
          retry: retry({
            attempts: 3,
            backoff: exponential({ initial: 60_000, max: 3_600_000, jitter: "none" }),
          }),
          handle({ attempt }) {
            attempts.push(attempt);
            if (attempt < 3) throw new Error("not yet");
          },
        },
      }),
    );
    const { outcomes } = await pipeline.push("x");
    expect(outcomes[0]?.outcome).toBe("succeeded");
    expect(attempts).toEqual([1, 2, 3]);
    expect(pipeline.clock.now()).toBe(180_000);
  });

  it("stands still while a handler runs", async () => {
    const work = deferred();
    await using pipeline = await testPipeline(
      definePipeline({
        name: "busy",
        producer: memory<string>(),
        processor: {
          handle: (message) =>
            message.data === "slow" ? work.promise.then(() => undefined) : message.to("rest"),
        },
        batchers: { rest: { size: 10, timeout: 5, handle() {} } },
      }),
    );
    const pushed = pipeline.push("slow", "fast");
    await expectStill(pipeline.clock);
    work.resolve();
    await pushed;
    expect(pipeline.clock.now()).toBe(5);
  });

  it("stands still while a batch is handled", async () => {
    const work = deferred();
    const pipeline = await testPipeline(orders, { batchers: { ledger: () => work.promise } });
    const pushed = pipeline.push(order("a", 1), order("b", 1), order("c", 1));
    await expectStill(pipeline.clock);
    work.resolve();
    await pushed;
    expect(pipeline.clock.now()).toBe(500);
    await pipeline.stop();
  });

  it("stands still while a decoder waits", async () => {
    const work = deferred<string>();
    await using pipeline = await testPipeline(
      definePipeline({
        name: "decoding",
        producer: memory<string>(),
        decoder: {
          name: "slow",
          decode: (payload: string) => (payload === "slow" ? work.promise : payload),
        },
        processor: { handle: (message) => message.to("rest") },
        batchers: { rest: { size: 10, timeout: 5, handle() {} } },
      }),
    );
    const pushed = pipeline.push("fast", "slow");
    await expectStill(pipeline.clock);
    work.resolve("done");
    expect((await pushed).batches.rest).toEqual([["fast", "done"]]);
  });

  it("stands still while a chunk is prepared", async () => {
    const work = deferred();
    await using pipeline = await testPipeline(
      definePipeline({
        name: "prepared",
        producer: memory<string>(),
        processor: {
          prepare: ([message]) => (message?.data === "slow" ? work.promise : undefined),
          handle: (message) => message.to("rest"),
        },
        batchers: { rest: { size: 10, timeout: 5, handle() {} } },
      }),
    );
    const fast = pipeline.push("fast");
    const slow = pipeline.push("slow");
    await expectStill(pipeline.clock);
    work.resolve();
    await Promise.all([fast, slow]);
    expect(pipeline.clock.now()).toBe(5);
  });

  it("stands still while failures are looked at", async () => {
    const work = deferred();
    await using pipeline = await testPipeline(
      definePipeline({
        name: "looked at",
        producer: memory<string>(),
        processor: {
          handle(message) {
            if (message.data === "bad") throw new Error("bad");
            return message.to("rest");
          },
        },
        batchers: { rest: { size: 10, timeout: 5, handle() {} } },
        onFailed: () => work.promise,
      }),
    );
    const pushed = pipeline.push("bad", "good");
    await expectStill(pipeline.clock);
    work.resolve();
    await pushed;
    expect(pipeline.clock.now()).toBe(5);
  });

  it("is moved on by hand for the timeout of a handler", async () => {
    await using pipeline = await testPipeline(
      definePipeline({
        name: "hanging",
        producer: memory<string>(),
        processor: { timeout: 1000, handle: () => new Promise<void>(() => {}) },
      }),
    );
    const pushed = pipeline.push("x");
    await pipeline.clock.advance(1000);
    const { failed } = await pushed;
    expect(failed[0]?.reason).toMatchObject({ code: "WESTEND_ERR_HANDLER_TIMEOUT" });
  });

  it("goes on by itself after a handler was given up", async () => {
    await using pipeline = await testPipeline(
      definePipeline({
        name: "hanging",
        producer: memory<string>(),
        processor: {
          timeout: 1000,
          handle: (message) =>
            message.data === "hang" ? new Promise<undefined>(() => {}) : message.to("rest"),
        },
        batchers: { rest: { timeout: 50, handle() {} } },
      }),
    );
    const pushed = pipeline.push("hang");
    await pipeline.clock.advance(1000);
    await pushed;
    const { batches } = await pipeline.push("x");
    expect(batches.rest).toEqual([["x"]]);
  });

  it("is that of the clock it was given", async () => {
    const clock = virtualClock(Date.UTC(2026, 0, 1));
    await using pipeline = await testPipeline(orders, { clock });
    const { failed } = await pipeline.push(order("a", -1));
    expect(pipeline.clock).toBe(clock);
    expect(failed[0]?.receivedAt).toBe(Date.UTC(2026, 0, 1));
  });
});
