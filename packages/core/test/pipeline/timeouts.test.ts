import { constant, HandlerTimeoutError, type Message, retry } from "westend";
import { describe, expect, it } from "vitest";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { type Deferred, deferred } from "../support/deferred.ts";
import { given } from "../support/given-source.ts";
import { sleep } from "../support/sleep.ts";
import { runTopology, startTopology } from "../support/topology-run.ts";

describe("the timeout of a handler", () => {
  it("aborts its signal with a HandlerTimeoutError, and fails the attempt with it", async () => {
    const clock = virtualClock();
    const producer = given([1]);
    const aborted: unknown[] = [];
    await runTopology(
      {
        producer,
        processor: {
          timeout: 100,
          handle: (_, signal) =>
            new Promise(() => {
              signal.addEventListener("abort", () => aborted.push(signal.reason, clock.now()));
            }),
        },
      },
      { clock },
    );
    expect(aborted).toEqual([expect.any(HandlerTimeoutError), 100]);
    expect(producer.told).toMatchObject([{ outcome: "failed", reason: aborted[0] }]);
    expect(aborted[0]).toMatchObject({ code: "WESTEND_ERR_HANDLER_TIMEOUT" });
  });

  it("does not touch a handler that is in time, nor leave a timer behind", async () => {
    const clock = virtualClock();
    const producer = given([1, 2, 3]);
    const signals: AbortSignal[] = [];
    const handle = async (_: unknown, signal: AbortSignal) => {
      signals.push(signal);
      await sleep(clock, 99);
    };
    await runTopology({ producer, processor: { timeout: 100, handle } }, { clock });
    await clock.advance(1000);
    expect(producer.payloads("succeeded")).toEqual([1, 2, 3]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false, false]);
    expect(clock.timers).toBe(0);
  });

  it("counts from the start of each message, not from that of the first", async () => {
    const clock = virtualClock();
    const producer = given(["short", "long"]);
    const failed: string[] = [];
    const handle = async ({ data }: { data: string }, signal: AbortSignal) => {
      signal.addEventListener("abort", () => failed.push(`${data}@${clock.now()}`));
      await sleep(clock, data === "short" ? 80 : 1000);
    };
    const processor = { concurrency: 1, timeout: 100, handle };
    await runTopology({ producer, processor }, { clock });
    expect(failed).toEqual(["long@180"]);
    expect(producer.payloads("succeeded")).toEqual(["short"]);
  });

  it("gives its place to the next message, though the late handler still runs", async () => {
    const clock = virtualClock();
    const producer = given(["hangs", "next"]);
    const handle = ({ data }: { data: string }) =>
      data === "hangs" ? new Promise(() => {}) : undefined;
    const processor = { concurrency: 1, timeout: 50, handle };
    await runTopology({ producer, processor }, { clock });
    expect(producer.payloads("succeeded")).toEqual(["next"]);
    expect(clock.now()).toBe(50);
  });

  it.each([
    ["a late result", (gate: Deferred<unknown>) => gate.resolve(undefined)],
    ["a late route to nowhere", (gate: Deferred<unknown>) => gate.resolve({})],
    ["a late error", (gate: Deferred<unknown>) => gate.reject(new Error("late"))],
  ])("ignores %s", async (_, end) => {
    const clock = virtualClock();
    const producer = given([1]);
    const gates: Deferred<unknown>[] = [];
    const run = await startTopology(
      {
        producer,
        processor: {
          timeout: 50,
          retry: retry({ attempts: 2, backoff: constant(100) }),
          handle() {
            const gate = deferred<unknown>();
            gates.push(gate);
            return gate.promise;
          },
        },
      },
      { clock },
    );
    await clock.advance(60);
    end(gates[0] as Deferred<unknown>);
    await clock.advance(100);
    expect(gates).toHaveLength(2);
    expect(producer.told).toEqual([]);
    gates[1]?.resolve(undefined);
    await run.end();
    expect(producer.payloads("succeeded")).toEqual([1]);
  });

  it("ignores what a late handler says to its message", async () => {
    const clock = virtualClock();
    const producer = given([1]);
    const late: Message<number, undefined>[] = [];
    const run = await startTopology(
      {
        producer,
        processor: {
          timeout: 50,
          retry: retry({ attempts: 2, backoff: constant(0) }),
          handle(message) {
            late.push(message);
            return late.length === 1 ? new Promise(() => {}) : sleep(clock, 20);
          },
        },
      },
      { clock },
    );
    await clock.advance(60);
    late[0]?.fail("too late");
    late[0]?.drop("too late");
    const report = await run.end();
    expect(report).toMatchObject({ succeeded: 1, failed: 0, dropped: 0 });
  });

  it("is an attempt like any other: the policy decides", async () => {
    const clock = virtualClock();
    const producer = given([1]);
    const attempts: number[] = [];
    await runTopology(
      {
        producer,
        processor: {
          timeout: 50,
          retry: retry({ attempts: 3, backoff: constant(100) }),
          handle({ attempt }) {
            attempts.push(attempt);
            return attempt < 3 ? new Promise(() => {}) : undefined;
          },
        },
      },
      { clock },
    );
    expect(attempts).toEqual([1, 2, 3]);
    expect(clock.now()).toBe(300);
    expect(producer.payloads("succeeded")).toEqual([1]);
  });

  it("gives each message a signal of its own", async () => {
    const clock = virtualClock();
    const signals: AbortSignal[] = [];
    const handle = async ({ data }: { data: string }, signal: AbortSignal) => {
      signals.push(signal);
      if (data === "hangs") await new Promise(() => {});
      await sleep(clock, 10);
    };
    const producer = given(["fine", "hangs", "fine", "fine"]);
    await runTopology({ producer, processor: { concurrency: 2, timeout: 50, handle } }, { clock });
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, true, false, false]);
    expect(new Set(signals).size).toBe(4);
  });

  it("hands the key on", async () => {
    const clock = virtualClock();
    const starts: string[] = [];
    const handle = ({ data }: { data: number }) => {
      starts.push(`${data}@${clock.now()}`);
      return data === 1 ? new Promise(() => {}) : undefined;
    };
    const processor = { timeout: 50, partitionBy: () => "key", handle };
    await runTopology({ producer: given([1, 2]), processor }, { clock });
    expect(starts).toEqual(["1@0", "2@50"]);
  });
});

describe("the timeout of a processor", () => {
  const hangs = (): Promise<never> => new Promise(() => {});

  it("holds for an asynchronous decoder: the attempt fails, and the next message goes on", async () => {
    const clock = virtualClock();
    const producer = given([1, 2, 3]);
    let calls = 0;
    const decoder = {
      name: "stuck",
      decode: (payload: number) => {
        if (payload === 2 && ++calls < 3) return hangs();
        return Promise.resolve(payload);
      },
    };
    const retries = retry({ attempts: 3, backoff: constant(10) });
    const processor = { timeout: 100, retry: retries, handle() {} };
    await runTopology({ producer, decoder, processor }, { clock });
    expect(producer.payloads("succeeded")).toEqual([1, 3, 2]);
    expect([calls, clock.now(), clock.timers]).toEqual([3, 220, 0]);
  });

  it("fails what its decoder does not end for with a HandlerTimeoutError", async () => {
    const producer = given([1]);
    const decoder = { name: "stuck", decode: hangs };
    await runTopology({ producer, decoder, processor: { timeout: 100, handle() {} } });
    expect(producer.told).toMatchObject([
      { outcome: "failed", reason: { code: "WESTEND_ERR_HANDLER_TIMEOUT" } },
    ]);
    expect(String(producer.told[0]?.reason)).toContain("decoder");
  });

  it("holds for prepare: its signal aborts, and each message is prepared alone", async () => {
    const clock = virtualClock();
    const producer = given([1, 2]);
    const aborted: unknown[] = [];
    const prepared: number[][] = [];
    const processor = {
      timeout: 100,
      prepare(messages: readonly { readonly data: number }[], signal: AbortSignal) {
        prepared.push(messages.map(({ data }) => data));
        signal.addEventListener("abort", () => aborted.push(signal.reason, clock.now()));
        return messages.length > 1 || messages[0]?.data === 2 ? hangs() : undefined;
      },
      handle() {},
    };
    await runTopology({ producer, processor }, { clock });
    expect(prepared).toEqual([[1, 2], [1], [2]]);
    expect(aborted.filter((one) => typeof one === "number")).toEqual([100, 200]);
    expect(aborted[0]).toMatchObject({ code: "WESTEND_ERR_HANDLER_TIMEOUT" });
    expect(producer.payloads("succeeded")).toEqual([1]);
    expect(producer.told.find(({ payload }) => payload === 2)).toMatchObject({
      outcome: "failed",
      reason: { code: "WESTEND_ERR_HANDLER_TIMEOUT" },
    });
    expect(clock.timers).toBe(0);
  });

  it("holds for onFailed: the failures take their course", async () => {
    const clock = virtualClock();
    const producer = given([1]);
    const error = new Error("spoilt");
    const handle = (): never => {
      throw error;
    };
    const processor = { timeout: 100, handle };
    await runTopology({ producer, onFailed: hangs, processor }, { clock });
    expect(producer.told).toMatchObject([{ outcome: "failed", reason: error }]);
    expect([clock.now(), clock.timers]).toEqual([100, 0]);
  });
});
