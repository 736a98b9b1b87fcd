import { constant, pipelines, retry } from "westend";
import { describe, expect, it } from "vitest";
import { deferred, never } from "../support/deferred.ts";
import { type Moment, type Scene, startMoment, startScene } from "../support/scene.ts";
import { stopWithin, sumOf } from "../support/stopping.ts";
import { numbers, TestSource } from "../support/test-source.ts";

const TIMEOUT = 2000;

const failing = (): never => {
  throw new Error("no");
};
const hanging = { concurrency: 4, handle: () => never };
const toSink = { concurrency: 4, handle: (message: any) => message.to("sink") };
const hangingSink = { sink: { size: 3, handle: () => never } };
const forever = retry({ attempts: Infinity, backoff: constant(60_000) });

/** What can be going on when a pipeline is stopped. */
const moments: Record<string, () => Moment> = {
  "it is idle": () => [{}, {}, []],
  "everything is done": () => [{}],
  "handlers hang": () => [{ processor: hanging }],
  "messages wait for a retry": () => [{ processor: { handle: failing, retry: forever } }],
  "a batch is half full": () => [
    {
      processor: toSink,
      batchers: { sink: { size: 1000, timeout: 60_000, handle() {} } },
      maxInFlight: 1000,
    },
  ],
  "a sink hangs": () => [{ processor: toSink, batchers: hangingSink }],
  "batches wait for a retry": () => [
    { processor: toSink, batchers: { sink: { size: 3, retry: forever, handle: failing } } },
  ],
  "the dead-letter sink hangs": () => [
    { processor: { handle: failing }, deadLetter: { name: "dlq", write: () => never } },
  ],
  "the dead-letter sink refuses": () => [
    { processor: { handle: failing }, deadLetter: { name: "dlq", write: failing } },
  ],
  "closing the dead-letter sink hangs": () => [
    { deadLetter: { name: "dlq", write() {}, close: () => never } },
  ],
  "closing the dead-letter sink fails": () => [
    { deadLetter: { name: "dlq", write() {}, close: failing } },
  ],
  "onFailed hangs": () => [{ processor: { handle: failing }, onFailed: () => never }],
  "a pull hangs": () => [{}, { pull: () => never }],
  "acknowledging hangs": () => [{}, { acknowledge: () => never }],
  "acknowledging fails": () => [{}, { acknowledge: failing }],
  "releasing hangs": () => [{ processor: hanging }, { release: () => never }],
  "releasing fails": () => [{ processor: hanging }, { release: failing }],
  "draining the producer hangs": () => [{}, { drain: () => never }],
  "draining the producer fails": () => [{}, { drain: failing }],
  "closing the producer hangs": () => [{}, { close: () => never }],
  "closing the producer fails": () => [{}, { close: failing }],
  "opening it again hangs": () => {
    let pulls = 0;
    return [
      {},
      {
        open: (session) => (session === 0 ? undefined : never),
        pull: (usual) => (++pulls > 1 ? failing() : usual()),
      },
    ];
  },
  "a decoder hangs": () => [{ decoder: { name: "slow", decode: () => never } }],
  "prepare hangs": () => [{ processor: { handle() {}, prepare: () => never } }],
  "everything hangs": () => {
    let pulls = 0;
    return [
      { processor: toSink, batchers: hangingSink },
      {
        pull: (usual) => (++pulls > 1 ? never : usual()),
        acknowledge: () => never,
        release: () => never,
        drain: () => never,
        close: () => never,
      },
      numbers(1, 10),
    ];
  },
};

describe("stop", () => {
  for (const [moment, begin] of Object.entries(moments)) {
    it.each([
      { kind: "takes messages back", releases: true },
      { kind: "takes nothing back", releases: false },
    ])(
      `returns by its deadline and a second while ${moment}, with a report that adds up, when the source $kind`,
      async ({ releases }) => {
        const { clock, running } = await startMoment(begin(), releases);
        const { report, took } = await stopWithin(clock, running, TIMEOUT);
        expect(took).toBeLessThanOrEqual(TIMEOUT + 1000);
        expect(sumOf(report)).toBe(report.received);
        expect(running.status).toBe("stopped");
        expect(await running.done).toEqual(report);
        expect(pipelines()).not.toContain(running);
        expect(clock.timers).toBe(0);
        await clock.advance(120_000);
        expect(running.stats()).toMatchObject(report);
      },
    );
  }

  it("may be called from a handler that does not wait for it", async () => {
    let report;
    const { clock, source, running } = await startScene(
      {
        processor: {
          concurrency: 1,
          handle(message: any) {
            if (message.data === 2) void running.stop().then((value) => (report = value));
          },
        },
      },
      new TestSource([]),
    );
    source.push(...numbers(1, 5));
    await clock.settle();
    expect(report).toMatchObject({ received: 5, succeeded: 2, released: 3 });
    expect(source.acknowledged).toEqual([1, 2]);
    expect(source.waiting).toEqual([3, 4, 5]);
  });

  it("abandons the message whose handler waits for it, at the deadline", async () => {
    const reports: unknown[] = [];
    const { clock, source, running } = await startScene(
      {
        processor: {
          concurrency: 1,
          async handle() {
            reports.push(await running.stop({ timeout: TIMEOUT }));
          },
        },
      },
      new TestSource([], { releases: false }),
    );
    source.push(1);
    await clock.advance(TIMEOUT - 1);
    expect(running.status).toBe("draining");
    await clock.advance(1001);
    expect(running.status).toBe("stopped");
    expect(reports).toEqual([expect.objectContaining({ received: 1, abandoned: 1 })]);
    expect(source.acknowledged).toEqual([]);
  });

  it("aborts the signal of what still runs at the deadline, and says how much was in flight", async () => {
    const reasons: unknown[] = [];
    const { clock, running } = await startScene(
      {
        processor: {
          concurrency: 2,
          handle: (_: unknown, signal: AbortSignal) => {
            signal.addEventListener("abort", () => reasons.push(signal.reason));
            return never;
          },
        },
      },
      new TestSource([1, 2]),
    );
    await stopWithin(clock, running, TIMEOUT);
    const reason = { code: "WESTEND_ERR_SHUTDOWN_TIMEOUT", inFlight: 2 };
    expect(reasons).toEqual([expect.objectContaining(reason), expect.objectContaining(reason)]);
  });

  it("is the same stop when called twice, however long the second would wait", async () => {
    const { clock, running } = await startScene({ processor: hanging }, new TestSource([1]));
    const first = running.stop({ timeout: 100 });
    const second = running.stop({ timeout: 60_000 });
    await clock.advance(1100);
    expect(await second).toBe(await first);
  });

  it("ends by the sooner of the deadlines when called twice, with the same report", async () => {
    const { clock, running } = await startScene({ processor: hanging }, new TestSource([1]));
    const first = running.stop({ timeout: 20_000 });
    await clock.advance(50);
    const second = running.stop({ timeout: 100 });
    await clock.advance(100);
    expect(running.status).toBe("stopped");
    expect(await second).toBe(await first);
    expect(await first).toMatchObject({ received: 1, abandoned: 1 });
  });

  it.each<[string, (running: Scene["running"]) => unknown]>([
    ["a second stop without a timeout", (running) => running.stop()],
    ["the end of an `await using` block", (running) => running[Symbol.asyncDispose]()],
  ])("is not hurried by %s", async (_, end) => {
    const { clock, running } = await startScene(
      { processor: hanging, shutdown: { timeout: 100 } },
      new TestSource([1]),
    );
    void running.stop({ timeout: 1000 });
    void end(running);
    await clock.advance(900);
    expect(running.status).toBe("draining");
    await clock.advance(100);
    expect(running.status).toBe("stopped");
  });

  it.each([
    ["a timeout that is NaN", { timeout: Number.NaN }, "timeout: expected a number, got NaN"],
    ["a timeout that is text", { timeout: "1s" }, 'timeout: expected a number, got "1s"'],
    ["an option it does not know", { timout: 100 }, "Did you mean timeout?"],
    ["what is no object", 100, "options: expected an object, got a number"],
  ])("refuses %s, and goes on", async (_, options, words) => {
    const { clock, running } = await startScene({}, new TestSource([1]));
    await expect(running.stop(options as never)).rejects.toThrow(words);
    await clock.settle();
    expect(running.status).toBe("running");
    await running.stop();
  });

  it.each([-1, 0.5, Infinity])("takes a deadline of %d ms", async (timeout) => {
    const { clock, running } = await startScene({}, new TestSource([1]));
    const stopped = running.stop({ timeout });
    await clock.advance(1);
    expect(await stopped).toMatchObject({ received: 1 });
  });

  it("gives the report again once it is over", async () => {
    const { clock, running } = await startScene({}, new TestSource([1, 2, 3]));
    await clock.settle();
    const report = await running.stop();
    expect(await running.stop()).toEqual(report);
    expect(report).toMatchObject({ received: 3, succeeded: 3 });
  });

  it("takes the deadline from shutdown.timeout unless told otherwise", async () => {
    const { clock, running } = await startScene(
      { processor: hanging, shutdown: { timeout: 5000 } },
      new TestSource([1]),
    );
    let stopped = false;
    void running.stop().then(() => (stopped = true));
    await clock.advance(4999);
    expect(stopped).toBe(false);
    await clock.advance(1001);
    expect(stopped).toBe(true);
  });

  it("ignores what a handler says after the deadline", async () => {
    const late = deferred();
    const { clock, source, running } = await startScene(
      { processor: { handle: () => late.promise } },
      new TestSource([1]),
    );
    const { report } = await stopWithin(clock, running, TIMEOUT);
    late.resolve();
    await clock.settle();
    expect(source.acknowledged).toEqual([]);
    expect(source.waiting).toEqual([1]);
    expect(running.stats()).toMatchObject(report);
  });

  it("happens when the block of `await using` ends", async () => {
    let left;
    {
      await using running = (await startScene()).running;
      left = running;
    }
    expect(left.status).toBe("stopped");
  });
});

describe("what comes behind a failure that stops the pipeline", () => {
  it("is not waited for, though its source takes nothing back", async () => {
    const late = deferred();
    const gate = deferred();
    const error = new Error("fatal");
    let pulls = 0;
    const source = new TestSource([1, 2], {
      releases: false,
      pull: async (_, { messages }) => {
        expect(messages).toBeGreaterThan(0);
        if (++pulls > 2) return [];
        if (pulls === 2) await late.promise;
        return [{ payload: pulls, key: "same", metadata: { index: pulls } }];
      },
    });
    const { clock, running } = await startScene(
      {
        processor: {
          retry: retry({ attempts: 1, whenExhausted: "stop" }),
          handle: async () => {
            await gate.promise;
            throw error;
          },
        },
      },
      source,
    );
    const ended = running.done.catch((reason) => reason);
    gate.resolve();
    await clock.settle();
    late.resolve();
    await clock.advance(100);
    expect(running.status).toBe("failed");
    expect(running.stats()).toMatchObject({ received: 2, released: 2 });
    expect(await ended).toBe(error);
  });
});
