import { constant, retry } from "westend";
import { describe, expect, it } from "vitest";
import { deferred, never } from "../support/deferred.ts";
import { faultyClock } from "../support/faulty-clock.ts";
import { startScene } from "../support/scene.ts";
import { sleep } from "../support/sleep.ts";
import { stopWithin } from "../support/stopping.ts";
import { recordTelemetry } from "../support/telemetry-recorder.ts";
import { ascending, numbers, TestSource } from "../support/test-source.ts";

const spoilt = (): never => {
  throw new Error("spoilt");
};

describe("processors that crash", () => {
  const policy = retry({ attempts: 3, backoff: constant(10) });

  it.each(["at once", "later"])(
    "run again what they were running when a handler failed %s",
    async (when) => {
      using telemetry = recordTelemetry("scene");
      const clock = faultyClock();
      const runs: number[] = [];
      const source = new TestSource([], {});
      const { running } = await startScene(
        {
          processor: {
            concurrency: 2,
            retry: policy,
            handle(message: any): any {
              runs.push(message.data);
              if (runs.length > 1) return undefined;
              if (when === "later") {
                return Promise.resolve().then(() => {
                  clock.fault = "now";
                  return spoilt();
                });
              }
              clock.fault = "now";
              return spoilt();
            },
          },
        },
        source,
        { clock },
      );
      source.push(...numbers(1, 5));
      await clock.advance(1000);
      expect(telemetry.of("westend:stage:restarting")).toMatchObject([
        { stage: "processors", delay: 100, error: { message: "injected into now" } },
      ]);
      expect(ascending(new Set(runs))).toEqual(numbers(1, 5));
      expect(ascending(source.acknowledged)).toEqual(numbers(1, 5));
      expect(running.status).toBe("running");
      await stopWithin(clock, running, 100);
    },
  );

  it("keep the order of a key", async () => {
    const clock = faultyClock();
    const ended: number[] = [];
    let crashed = false;
    const source = new TestSource([], {});
    const { running } = await startScene(
      {
        processor: {
          concurrency: 4,
          partitionBy: (message: any) => message.data % 2,
          retry: policy,
          async handle(message: any) {
            await sleep(clock, 5);
            if (message.data === 3 && !crashed) {
              crashed = true;
              clock.fault = "now";
              spoilt();
            }
            ended.push(message.data);
          },
        },
      },
      source,
      { clock },
    );
    source.push(...numbers(1, 10));
    await clock.advance(5000);
    expect(source.acknowledged).toHaveLength(10);
    for (const parity of [0, 1]) {
      const ofKey = ended.filter((data) => data % 2 === parity);
      const firsts = [...new Set(ofKey)];
      expect(firsts).toEqual(ascending(firsts));
    }
    await stopWithin(clock, running, 100);
  });

  it("end the pipeline with a StageError once the budget is spent, and acknowledge nothing", async () => {
    const clock = faultyClock();
    const source = new TestSource([], {});
    const { running } = await startScene(
      {
        processor: {
          retry: policy,
          handle: (): any => {
            clock.fault = "now";
            return spoilt();
          },
        },
      },
      source,
      { clock },
    );
    const died = running.done.catch((error: unknown) => error);
    source.push(1);
    await clock.advance(60_000);
    expect(await died).toMatchObject({
      code: "WESTEND_ERR_STAGE",
      cause: { message: "injected into now" },
    });
    expect(source.acknowledged).toEqual([]);
    expect(source.waiting).toEqual([1]);
  });

  it("take the batchers with them, which send again what they held", async () => {
    const clock = faultyClock();
    const batches: number[][] = [];
    let crashed = false;
    const source = new TestSource([], {});
    const { running } = await startScene(
      {
        processor: {
          retry: policy,
          handle(message: any): any {
            if (message.data === 4 && !crashed) {
              crashed = true;
              clock.fault = "now";
              return spoilt();
            }
            return message.to("sink");
          },
        },
        batchers: {
          sink: {
            size: 100,
            timeout: 500,
            handle: (messages: any[]) => void batches.push(messages.map(({ data }) => data)),
          },
        },
      },
      source,
      { clock },
    );
    source.push(...numbers(1, 6));
    await clock.advance(5000);
    expect(ascending(batches.flat())).toEqual(numbers(1, 6));
    expect(ascending(source.acknowledged)).toEqual(numbers(1, 6));
    await stopWithin(clock, running, 100);
  });
});

describe("a batcher that crashes", () => {
  it("sends again, once each, what it held, and leaves the others alone", async () => {
    using telemetry = recordTelemetry("scene");
    const clock = faultyClock();
    const batches: Record<string, number[][]> = { a: [], b: [] };
    const keep = (name: string) => (messages: any[]) =>
      void batches[name]?.push(messages.map(({ data }) => data));
    const source = new TestSource([], {});
    const { running } = await startScene(
      {
        processor: { handle: (message: any) => message.to(message.data % 2 === 0 ? "a" : "b") },
        batchers: {
          a: { size: 100, timeout: 300, handle: keep("a") },
          b: { size: 100, timeout: 400, handle: keep("b") },
        },
        maxInFlight: 1000,
      },
      source,
      { clock },
    );
    source.push(...numbers(1, 10));
    await clock.advance(299);
    // The next to read the clock is the timer of batcher "a".
    clock.fault = "now";
    await clock.advance(1);
    await clock.advance(2000);
    expect(telemetry.of("westend:stage:restarting")).toMatchObject([
      { stage: "a", error: { message: "injected into now" } },
    ]);
    expect(batches["a"]).toEqual([[2, 4, 6, 8, 10]]);
    expect(batches["b"]).toEqual([[1, 3, 5, 7, 9]]);
    expect(ascending(source.acknowledged)).toEqual(numbers(1, 10));
    expect(running.stats()).toMatchObject({ received: 10, succeeded: 10, inFlight: 0 });
    await stopWithin(clock, running, 100);
  });

  it("ignores what a handler of its former self still says", async () => {
    const clock = faultyClock();
    const first = deferred();
    const calls: number[][] = [];
    const source = new TestSource([], {});
    const { running } = await startScene(
      {
        processor: { handle: (message: any) => message.to("sink") },
        batchers: {
          sink: {
            size: 2,
            timeout: 300,
            handle: (messages: any[]) => {
              calls.push(messages.map(({ data }) => data));
              return calls.length === 1 ? first.promise : undefined;
            },
          },
        },
      },
      source,
      { clock },
    );
    source.push(1, 2, 3);
    await clock.advance(299);
    clock.fault = "now";
    await clock.advance(1);
    first.resolve();
    await clock.settle();
    expect(source.acknowledged).toEqual([]);
    await clock.advance(2000);
    expect(calls).toEqual([[1, 2], [1, 2], [3]]);
    expect(ascending(source.acknowledged)).toEqual([1, 2, 3]);
    await stopWithin(clock, running, 100);
  });

  it("does not mind what a handler of its former self freezes", async () => {
    using telemetry = recordTelemetry("scene");
    const clock = faultyClock();
    let held: readonly unknown[] = [];
    const source = new TestSource([], {});
    const { running } = await startScene(
      {
        processor: { handle: (message: any) => message.to("sink") },
        batchers: {
          sink: {
            size: 2,
            timeout: 300,
            handle: (messages: any[]) => {
              if (held.length > 0) return undefined;
              held = [...messages];
              return never;
            },
          },
        },
      },
      source,
      { clock },
    );
    source.push(1, 2, 3);
    await clock.advance(299);
    clock.fault = "now";
    await clock.advance(1);
    // Before the batcher is started again.
    for (const message of held) Object.freeze(message);
    await clock.advance(2000);
    expect(telemetry.of("westend:stage:restarting")).toHaveLength(1);
    expect(ascending(source.acknowledged)).toEqual([1, 2, 3]);
    await stopWithin(clock, running, 100);
  });
});
