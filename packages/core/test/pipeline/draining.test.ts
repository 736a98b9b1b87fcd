import fc from "fast-check";
import { constant, definePipeline, memory, retry } from "westend";
import { describe, expect, it } from "vitest";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { type Deferred, deferred } from "../support/deferred.ts";
import { startScene } from "../support/scene.ts";
import { sleep } from "../support/sleep.ts";
import { stopWithin, sumOf } from "../support/stopping.ts";
import { recordTelemetry } from "../support/telemetry-recorder.ts";
import { numbers, TestSource } from "../support/test-source.ts";

describe("a drain", () => {
  it("gives back what was not started, to a source that takes it back", async () => {
    const handler = deferred();
    const { clock, source, running } = await startScene(
      { processor: { concurrency: 2, handle: () => handler.promise } },
      new TestSource(numbers(1, 10)),
    );
    const stopped = running.stop();
    await clock.settle();
    expect(source.released).toEqual(numbers(3, 10));
    handler.resolve();
    expect(await stopped).toMatchObject({ received: 10, succeeded: 2, released: 8 });
    expect(source.acknowledged).toEqual([1, 2]);
  });

  it("handles what was not started, if the source cannot take it back", async () => {
    const { clock, source, running } = await startScene(
      { processor: { concurrency: 1, handle: () => sleep(clock, 10) } },
      new TestSource([], { releases: false }),
    );
    source.push(...numbers(1, 10));
    await clock.settle();
    const { report } = await stopWithin(clock, running, 1000);
    expect(report).toMatchObject({ received: 10, succeeded: 10 });
    expect(source.acknowledged).toEqual(numbers(1, 10));
  });

  it("gives back what waits for another attempt", async () => {
    const { clock, source, running } = await startScene(
      {
        processor: {
          handle() {
            throw new Error("no");
          },
          retry: retry({ attempts: 5, backoff: constant(60_000) }),
        },
      },
      new TestSource([1, 2]),
    );
    const { report, took } = await stopWithin(clock, running, 5000);
    expect(took).toBeLessThan(100);
    expect(report).toMatchObject({ received: 2, released: 2 });
    expect(source.released).toEqual([1, 2]);
  });

  it("flushes open batches at once instead of waiting for their timeout", async () => {
    const batches: unknown[] = [];
    const { clock, source, running } = await startScene(
      {
        processor: { handle: (message: any) => message.to("sink") },
        batchers: {
          sink: {
            size: 100,
            timeout: 60_000,
            handle: (messages: any[], batch: any) =>
              void batches.push([messages.length, batch.trigger]),
          },
        },
      },
      new TestSource([1, 2, 3]),
    );
    expect(batches).toEqual([]);
    const { took } = await stopWithin(clock, running, 5000);
    expect(took).toBeLessThan(100);
    expect(batches).toEqual([[3, "flush"]]);
    expect(source.acknowledged).toEqual([1, 2, 3]);
  });

  it("stops fetching first, then acknowledges, then closes", async () => {
    const { clock, source, running } = await startScene(
      { processor: { concurrency: 5, handle: () => sleep(clock, 100) } },
      new TestSource([], { acknowledge: (usual) => sleep(clock, 50).then(usual) }),
    );
    source.push(...numbers(1, 5));
    await clock.settle();
    source.calls.length = 0;
    await stopWithin(clock, running, 5000);
    expect([...new Set(source.calls)]).toEqual(["drain 0", "acknowledge 0", "close 0"]);
    expect(source.calls.at(-1)).toBe("close 0");
    expect(source.acknowledged).toEqual(numbers(1, 5));
  });

  it("starts nothing of what a late pull brings: it goes back", async () => {
    const late = deferred<readonly any[]>();
    const handled: unknown[] = [];
    const source = new TestSource(numbers(1, 3), {
      pull: (usual) => late.promise.then(() => usual()),
    });
    const { clock, running } = await startScene(
      { processor: { handle: (message: any) => void handled.push(message.data) } },
      source,
    );
    const stopped = running.stop({ timeout: 5000 });
    await clock.advance(1000);
    late.resolve([]);
    await clock.settle();
    expect(await stopped).toMatchObject({ received: 3, released: 3 });
    expect(handled).toEqual([]);
    expect(source.released).toEqual([1, 2, 3]);
  });

  it("gives back what a pull brings after the pipeline has ended, and does not count it", async () => {
    const late = deferred();
    const source = new TestSource(numbers(1, 3), { pull: (usual) => late.promise.then(usual) });
    const { clock, running } = await startScene({}, source);
    const { report } = await stopWithin(clock, running, 1000);
    late.resolve();
    await clock.settle();
    expect(source.waiting).toEqual([1, 2, 3]);
    expect(running.stats()).toMatchObject({ ...report, received: 0 });
  });

  it("aborts the signal of a pull that waits", async () => {
    const { clock, source, running } = await startScene(
      {},
      new TestSource([], {
        pull: (_, __, signal) =>
          new Promise((resolve) => signal.addEventListener("abort", () => resolve([]))),
      }),
    );
    const { took } = await stopWithin(clock, running, 5000);
    expect(took).toBeLessThan(100);
    expect(source.calls).toContain("close 0");
  });

  it("waits for what is being released", async () => {
    const { clock, source, running } = await startScene(
      { processor: { concurrency: 1, handle: () => sleep(clock, 10) } },
      new TestSource([], { release: (usual) => sleep(clock, 300).then(usual) }),
    );
    source.push(...numbers(1, 5));
    await clock.settle();
    const { took } = await stopWithin(clock, running, 5000);
    expect(took).toBeGreaterThanOrEqual(300);
    expect(source.waiting).toEqual(numbers(2, 5));
    expect(source.calls.indexOf("close 0")).toBeGreaterThan(source.calls.indexOf("release 0"));
  });

  it("tells what it starts with", async () => {
    using telemetry = recordTelemetry("scene");
    const { clock, running } = await startScene(
      { processor: { concurrency: 1, handle: () => sleep(clock, 10) }, shutdown: { timeout: 777 } },
      new TestSource(),
    );
    const source = running.topology().producers;
    expect(source).toHaveLength(1);
    void running.stop();
    await clock.settle();
    expect(telemetry.of("westend:pipeline:draining")).toEqual([
      { pipeline: "scene", timeout: 777, inFlight: 0 },
    ]);
  });
});

describe("what fails during a drain", () => {
  const again = retry({ attempts: 5, backoff: constant(60_000) });
  const no = (): never => {
    throw new Error("no");
  };
  /** A batcher that holds its first batch until the gate opens, and fails it. */
  const failing = (gate: Deferred<void>, given: unknown[], options: object = {}) => ({
    size: 1,
    retry: again,
    async handle([message]: any[]) {
      given.push(message.data);
      await gate.promise;
      no();
    },
    ...options,
  });
  const partitionBy = (): string => "one";

  it.each([
    ["would be tried again", again],
    ["is held", retry({ attempts: 1, backoff: constant(60_000), whenExhausted: "hold" })],
  ])("goes back at once where it %s", async (_, policy) => {
    const gate = deferred();
    const { clock, source, running } = await startScene(
      { processor: { retry: policy, handle: () => gate.promise.then(no) } },
      new TestSource([1, 2]),
    );
    clock.setTimer(gate.resolve, 100);
    const { report, took } = await stopWithin(clock, running, 5000);
    expect(took).toBeLessThan(200);
    expect(report).toMatchObject({ received: 2, released: 2 });
    expect(source.released).toEqual([1, 2]);
  });

  it("goes back before what runs on has ended", async () => {
    const { clock, source, running } = await startScene(
      {
        processor: {
          retry: again,
          handle: async ({ data }: any) => {
            await sleep(clock, data === 1 ? 100 : 1000);
            if (data === 1) no();
          },
        },
      },
      new TestSource([], {}),
    );
    source.push(1, 2);
    await clock.settle();
    void running.stop();
    await clock.advance(200);
    expect(source.released).toEqual([1]);
    await clock.advance(1000);
    expect(source.acknowledged).toEqual([2]);
  });

  it("goes back when its batch fails, or waited for another attempt before", async () => {
    const gate = deferred();
    const given: unknown[] = [];
    const { clock, source, running } = await startScene(
      {
        processor: { handle: (message: any) => message.to(message.data === 1 ? "a" : "b") },
        batchers: { a: { size: 1, retry: again, handle: no }, b: failing(gate, given) },
      },
      new TestSource([1, 2]),
    );
    expect(running.stats().batchers["a"]?.waiting).toBe(1);
    clock.setTimer(gate.resolve, 100);
    const { report, took } = await stopWithin(clock, running, 5000);
    expect(took).toBeLessThan(200);
    expect(report).toMatchObject({ received: 2, released: 2 });
    expect(source.released).toEqual([1, 2]);
  });

  it("goes back with what is ordered behind it, and what is not ordered goes on", async () => {
    const gate = deferred();
    const given: unknown[] = [];
    const free: unknown[] = [];
    const { clock, source, running } = await startScene(
      {
        processor: { handle: (message: any) => message.to(message.data < 4 ? "keyed" : "free") },
        batchers: {
          keyed: failing(gate, given, { partitionBy }),
          free: {
            size: 1,
            concurrency: 1,
            async handle([message]: any[]) {
              await gate.promise;
              free.push(message.data);
            },
          },
        },
      },
      new TestSource([1, 2, 3, 4, 5]),
    );
    clock.setTimer(gate.resolve, 100);
    const { report, took } = await stopWithin(clock, running, 5000);
    expect(took).toBeLessThan(200);
    expect(given).toEqual([1]);
    expect(free).toEqual([4, 5]);
    expect(report).toMatchObject({ received: 5, succeeded: 2, released: 3 });
    expect(source.released).toEqual([1, 2, 3]);
  });

  it("goes back from all of its batchers, and is overtaken in none", async () => {
    const gate = deferred();
    const first = deferred();
    const given: unknown[] = [];
    const { clock, source, running } = await startScene(
      {
        processor: {
          handle: (message: any) =>
            message.data === 2 ? [message.to("a"), message.to("c")] : message.to("c"),
        },
        batchers: {
          a: failing(gate, [], { partitionBy }),
          c: {
            size: 1,
            partitionBy,
            async handle([message]: any[]) {
              given.push(message.data);
              await first.promise;
            },
          },
        },
      },
      new TestSource([1, 2, 3]),
    );
    clock.setTimer(gate.resolve, 100);
    clock.setTimer(first.resolve, 200);
    const { report } = await stopWithin(clock, running, 5000);
    expect(given).toEqual([1]);
    expect(report).toMatchObject({ received: 3, succeeded: 1, released: 2 });
    expect(source.acknowledged).toEqual([1]);
  });

  it("is still written as a dead letter, though the rest of its batch goes back", async () => {
    const gate = deferred();
    const letters: unknown[] = [];
    const { clock, source, running } = await startScene(
      {
        processor: { handle: (message: any) => message.to("sink") },
        deadLetter: {
          name: "letters",
          write: (written) => void letters.push(...written.map(({ payload }) => payload)),
        },
        batchers: {
          sink: {
            size: 3,
            partitionBy,
            retry: retry({
              attempts: 5,
              backoff: constant(60_000),
              when: (error) => error === "again",
            }),
            async handle(messages: any[]) {
              await gate.promise;
              messages[0].fail("for good");
              messages[2].fail("again");
            },
          },
        },
      },
      new TestSource([1, 2, 3]),
    );
    clock.setTimer(gate.resolve, 100);
    const { report, took } = await stopWithin(clock, running, 5000);
    expect(took).toBeLessThan(200);
    expect(letters).toEqual([1]);
    expect(report).toMatchObject({ succeeded: 1, deadLettered: 1, released: 1 });
    expect(source.released).toEqual([3]);
  });

  it.each([
    ["its source was told of it already", true, true],
    ["its source cannot take it back", false, false],
  ])("is tried again where %s", async (_, early, releases) => {
    const attempts: unknown[] = [];
    const handle = async (message: any): Promise<unknown> => {
      if (early && message.attempt === 1) await message.ackNow();
      return message.to("sink");
    };
    const { clock, running } = await startScene(
      {
        processor: { handle },
        batchers: {
          sink: {
            size: 1,
            partitionBy,
            retry: retry({ attempts: 2, backoff: constant(300) }),
            async handle([message]: any[], { attempt }: any) {
              attempts.push([message.data, attempt]);
              await sleep(clock, 100);
              if (attempt === 1) no();
            },
          },
        },
      },
      new TestSource([1], { releases }),
    );
    const { report } = await stopWithin(clock, running, 5000);
    expect(attempts).toEqual([
      [1, 1],
      [1, 2],
    ]);
    expect(report).toMatchObject({ received: 1, succeeded: 1 });
  });

  it("is tried again where the source ended by itself, which is no drain", async () => {
    const { clock, source, running } = await startScene(
      {
        processor: {
          retry: again,
          handle: ({ attempt }: any) => void (attempt < 3 && no()),
        },
      },
      new TestSource([1, 2], {}, true),
    );
    await clock.advance(130_000);
    expect(await running.done).toMatchObject({ received: 2, succeeded: 2 });
    expect(source.acknowledged).toEqual([1, 2]);
  });
});

describe("no loss", () => {
  const duration = fc.oneof(
    fc.constant(0),
    fc.integer({ min: 1, max: 200 }),
    fc.constant(Infinity),
  );
  const run = fc.record({
    count: fc.integer({ min: 0, max: 60 }),
    concurrency: fc.integer({ min: 1, max: 8 }),
    maxInFlight: fc.integer({ min: 1, max: 40 }),
    durations: fc.array(duration, { minLength: 1, maxLength: 8 }),
    failures: fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }),
    batched: fc.boolean(),
    size: fc.integer({ min: 1, max: 10 }),
    sinkTakes: duration,
    keys: fc.integer({ min: 0, max: 4 }),
    stopAt: fc.integer({ min: 0, max: 500 }),
    timeout: fc.integer({ min: 0, max: 400 }),
  });

  it("leaves every message acknowledged or back in the queue, whenever it is stopped", async () => {
    await fc.assert(
      fc.asyncProperty(run, async (given) => {
        const clock = virtualClock();
        const source = memory(numbers(0, given.count - 1));
        const wait = async (milliseconds: number): Promise<void> => {
          if (milliseconds === Infinity) await new Promise(() => {});
          if (milliseconds > 0) await sleep(clock, milliseconds);
        };
        const ended = { handled: 0, unfailed: 0 };
        const pipeline = definePipeline<any, any, any>({
          name: "no loss",
          producer: source,
          maxInFlight: given.maxInFlight,
          processor: {
            concurrency: given.concurrency,
            ...(given.keys > 0 && { partitionBy: (message: any) => message.data % given.keys }),
            retry: retry({ attempts: 2, backoff: constant(30) }),
            async handle(message: any): Promise<any> {
              await wait(given.durations[message.data % given.durations.length] as number);
              ended.handled++;
              if (given.failures[message.data % given.failures.length]) throw new Error("no");
              ended.unfailed++;
              return given.batched ? message.to("sink") : undefined;
            },
          },
          batchers: {
            sink: { size: given.size, timeout: 50, handle: () => wait(given.sinkTakes) },
          },
        } as any);
        const running = await pipeline.start({ clock });
        await clock.advance(given.stopAt);
        const { report, took } = await stopWithin(clock, running, given.timeout);
        expect(took).toBeLessThanOrEqual(given.timeout + 1000);
        expect(sumOf(report)).toBe(report.received);
        expect(source.succeeded).toBe(report.succeeded);
        expect(source.failed).toBe(report.failed);
        expect(source.succeeded).toBeLessThanOrEqual(ended.unfailed);
        expect(source.succeeded + source.failed + source.waiting).toBe(given.count);
        expect(source.taken).toBe(0);
      }),
      { numRuns: 1000 },
    );
  }, 120_000);
});
