import { constant, retry } from "westend";
import { describe, expect, it } from "vitest";
import { deferred, never } from "../support/deferred.ts";
import { type SceneOptions, startScene } from "../support/scene.ts";
import { sleep } from "../support/sleep.ts";
import { stopWithin, sumOf } from "../support/stopping.ts";
import { numbers, TestSource } from "../support/test-source.ts";

describe("stats", () => {
  it("are all zero at the start", async () => {
    const { clock, running } = await startScene({
      batchers: { sink: { size: 5, handle() {} } },
      maxInFlight: 50,
      maxBytes: 1000,
    });
    const none = { received: 0, succeeded: 0, failed: 0, deadLettered: 0, dropped: 0 };
    expect(running.stats()).toEqual({
      ...none,
      released: 0,
      abandoned: 0,
      status: "running",
      inFlight: 0,
      bytes: 0,
      maxInFlight: 50,
      maxBytes: 1000,
      rate: { received: 0, settled: 0 },
      latency: { p50: 0, p90: 0, p99: 0, max: 0 },
      producers: {
        test: {
          open: 1,
          received: 0,
          inFlight: 0,
          unacknowledged: 0,
          refused: 0,
          restarts: 0,
          remaining: undefined,
        },
      },
      processor: {
        concurrency: 4,
        running: 0,
        ready: 0,
        blocked: 0,
        waiting: 0,
        workload: 0,
        retries: 0,
      },
      batchers: {
        sink: {
          concurrency: 1,
          open: 0,
          queued: 0,
          waiting: 0,
          running: 0,
          workload: 0,
          batches: 0,
          messages: 0,
          retries: 0,
          triggers: { size: 0, bytes: 0, split: 0, timeout: 0, flush: 0 },
        },
      },
      deadLettersPending: 0,
    });
    await stopWithin(clock, running, 100);
  });

  it("say where messages are before the batchers", async () => {
    const { clock, running } = await startScene(
      {
        processor: {
          concurrency: 2,
          partitionBy: ({ data }: any) => (data <= 3 ? "same" : data),
          retry: retry({ attempts: 2, backoff: constant(60_000) }),
          handle({ data }: any): any {
            if (data === 4) throw new Error("no");
            return never;
          },
        },
      },
      new TestSource(numbers(1, 8)),
    );
    expect(running.stats().processor).toEqual({
      concurrency: 2,
      running: 2,
      ready: 3,
      blocked: 2,
      waiting: 1,
      workload: 0,
      retries: 1,
    });
    expect(running.stats()).toMatchObject({ received: 8, inFlight: 8 });
    await stopWithin(clock, running, 100);
  });

  it("say where messages are in a batcher, and why batches were emitted", async () => {
    const gate = deferred();
    const { clock, running } = await startScene(
      {
        processor: {
          handle: (message: any) => message.to("sink", message.data, { flush: message.data === 7 }),
        },
        batchers: { sink: { size: 3, timeout: 500, handle: () => gate.promise } },
        maxInFlight: 100,
      },
      new TestSource(numbers(1, 8)),
    );
    expect(running.stats().batchers["sink"]).toMatchObject({
      running: 1,
      queued: 4,
      open: 1,
      batches: 3,
      messages: 7,
      triggers: { size: 2, flush: 1, timeout: 0 },
    });
    gate.resolve();
    await clock.advance(500);
    expect(running.stats().batchers["sink"]).toMatchObject({
      running: 0,
      queued: 0,
      open: 0,
      batches: 4,
      messages: 8,
      triggers: { size: 2, flush: 1, timeout: 1 },
    });
    await stopWithin(clock, running, 100);
  });

  it("measure latency from receipt to acknowledgement", async () => {
    const { clock, running, source } = await startScene({
      processor: { concurrency: 100, handle: ({ data }: any) => sleep(clock, data) },
      maxInFlight: 1000,
    });
    source.push(...numbers(1, 100));
    await clock.advance(1000);
    const { p50, p90, p99, max } = running.stats().latency;
    expect(max).toBe(100);
    for (const [value, exact] of [
      [p50, 50],
      [p90, 90],
      [p99, 99],
    ] as const) {
      expect(value).toBeGreaterThanOrEqual(exact);
      expect(value).toBeLessThanOrEqual(exact * 1.07);
    }
    await stopWithin(clock, running, 100);
  });

  it("measure rates over about the last ten seconds", async () => {
    const { clock, running, source } = await startScene();
    for (let second = 0; second < 30; second++) {
      source.push(...numbers(1, 20));
      await clock.advance(1000);
    }
    const { received, settled } = running.stats().rate;
    expect(received).toBeGreaterThanOrEqual(18);
    expect(received).toBeLessThan(23);
    expect(settled).toBeCloseTo(received, 0);
    await clock.advance(60_000);
    expect(running.stats().rate.settled).toBeLessThan(0.5);
    await stopWithin(clock, running, 100);
  });

  it("measure rates over about the last ten seconds after a quiet hour, too", async () => {
    const { clock, running, source } = await startScene();
    source.push(...numbers(1, 500));
    await clock.advance(3_600_000);
    expect(running.stats().rate.settled).toBeLessThan(0.5);
    for (let second = 0; second < 5; second++) {
      source.push(...numbers(1, 20));
      await clock.advance(1000);
    }
    const { received, settled } = running.stats().rate;
    expect(received).toBeGreaterThan(7);
    expect(received).toBeLessThan(11);
    expect(settled).toBeCloseTo(received, 0);
    await stopWithin(clock, running, 100);
  });

  it("measure no rate ten seconds after the last message, where they are asked for all the time", async () => {
    const { clock, running, source } = await startScene();
    await clock.advance(1500);
    source.push(...numbers(1, 500));
    for (let second = 0; second < 12; second++) {
      await clock.advance(1000);
      running.stats();
    }
    expect(running.stats().rate).toEqual({ received: 0, settled: 0 });
    await stopWithin(clock, running, 100);
  });

  const sleeper = (message: any): any => message.to("sink");
  it.each([
    ["processor", () => never, {}],
    ["batch processor", sleeper, { sink: { concurrency: 2, size: 1, handle: () => never } }],
  ] as const)("count a %s that has not ended as busy", async (kind, handle, batchers) => {
    const { clock, running } = await startScene(
      { processor: { concurrency: 2, handle }, batchers },
      new TestSource([1]),
    );
    await clock.advance(30_000);
    const workload = (): number | undefined => {
      const { processor, batchers: all } = running.stats();
      return (kind === "processor" ? processor : all["sink"])?.workload;
    };
    expect(workload()).toBe(0.5);
    await stopWithin(clock, running, 0);
    expect(workload(), "killed at the deadline").toBeGreaterThan(0.4);
  });

  it("count handlers as busy that hang after thousands that did not", async () => {
    const { clock, running } = await startScene(
      {
        processor: { concurrency: 2, handle: ({ data }: any) => (data > 5000 ? never : undefined) },
        maxInFlight: 9000,
      },
      new TestSource(numbers(1, 5010)),
    );
    running.stats();
    await clock.advance(20_000);
    expect(running.stats().processor).toMatchObject({ running: 2, workload: 1 });
    await stopWithin(clock, running, 0);
  });

  it("count a handler that ran out of time as busy until then", async () => {
    const { clock, running } = await startScene(
      { processor: { concurrency: 2, timeout: 4000, handle: () => never } },
      new TestSource([1]),
    );
    await clock.advance(10_000);
    expect(running.stats().processor.workload).toBeCloseTo(0.2);
    await stopWithin(clock, running, 100);
  });

  it("measure the share of handlers that are busy", async () => {
    const { clock, running, source } = await startScene({
      processor: { concurrency: 4, handle: () => sleep(clock, 100) },
    });
    for (let beat = 0; beat < 100; beat++) {
      source.push(1, 2);
      await clock.advance(200);
    }
    expect(running.stats().processor.workload).toBeGreaterThan(0.22);
    expect(running.stats().processor.workload).toBeLessThan(0.28);
    await stopWithin(clock, running, 100);
  });

  it("count the bytes that are out of the sources", async () => {
    const text = { payload: "0123456789", metadata: undefined };
    let left = [text, { ...text, size: 7 }, { payload: new Uint8Array(3), metadata: undefined }];
    const producer = {
      name: "bytes",
      open: () => ({
        pull: () => left.splice(0) as any,
        acknowledge() {},
        idle: Infinity,
      }),
    };
    const { clock, running } = await startScene({ producer, processor: { handle: () => never } });
    left = [];
    expect(running.stats().bytes).toBe(20);
    await stopWithin(clock, running, 100);
    expect(running.stats().bytes).toBe(0);
  });

  const knowing = (...remaining: (() => unknown)[]): SceneOptions => ({
    producer: {
      producer: {
        name: "knowing",
        open: ({ index }: any) => ({
          pull: () => [],
          acknowledge() {},
          idle: Infinity,
          remaining: remaining[index],
        }),
      },
      concurrency: remaining.length,
    } as any,
  });

  it.each([
    () => {
      throw new Error("no");
    },
    () => NaN,
    () => Infinity,
    () => -1,
    () => "7",
    () => Promise.resolve(7),
  ])("do not say what is left in a source that answers nonsense %#", async (remaining) => {
    const { clock, running } = await startScene(knowing(remaining));
    expect(running.stats().producers["knowing"]).toMatchObject({ open: 1, remaining: undefined });
    await stopWithin(clock, running, 100);
  });

  it("say what is left in a source once, though each of its sessions knows", async () => {
    const { clock, running } = await startScene(
      knowing(
        () => 7,
        () => 7,
        () => undefined,
      ),
    );
    expect(running.stats().producers["knowing"]).toMatchObject({ open: 3, remaining: 7 });
    await stopWithin(clock, running, 100);
  });

  it("count what a source refused for good, and dead letters that wait", async () => {
    const { clock, running } = await startScene(
      {
        processor: {
          handle({ data }: any) {
            if (data === 3) throw new Error("no");
          },
        },
        deadLetter: {
          name: "dlq",
          write() {
            throw new Error("full");
          },
        },
      },
      new TestSource([1, 2, 3], {
        acknowledge() {
          throw new Error("refused");
        },
      }),
    );
    await clock.advance(10_000);
    expect(running.stats()).toMatchObject({ deadLettersPending: 1, inFlight: 1 });
    expect(running.stats().producers["test"]).toMatchObject({ refused: 2 });
    await stopWithin(clock, running, 100);
  });

  it("have parts that add up to what was received, less what is unsettled, at any moment", async () => {
    const { clock, running, source } = await startScene({
      processor: {
        concurrency: 3,
        async handle(message: any) {
          await sleep(clock, (message.data * 13) % 40);
          if (message.data % 5 === 0) throw new Error("no");
          if (message.data % 7 === 0) message.drop("unwanted");
        },
      },
    });
    source.push(...numbers(1, 100));
    for (let step = 0; step < 100; step++) {
      await clock.advance(10);
      const stats = running.stats();
      expect(stats.received - sumOf(stats)).toBeGreaterThanOrEqual(0);
      expect(stats.received - sumOf(stats)).toBeLessThanOrEqual(stats.inFlight);
    }
    expect(sumOf(running.stats())).toBe(100);
    await stopWithin(clock, running, 100);
  });

  it("can still be had when the pipeline has ended", async () => {
    const { clock, running } = await startScene({}, new TestSource([1]));
    const { report } = await stopWithin(clock, running, 100);
    expect(running.stats()).toMatchObject({ ...report, status: "stopped", inFlight: 0 });
  });
});
