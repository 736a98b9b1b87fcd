import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { constant, retry } from "westend";
import { describe, expect, it } from "vitest";
import { TELEMETRY_NAMES } from "../support/telemetry-names.ts";
import { fieldsAfter, textOf } from "../support/reference-table.ts";
import { faultyClock } from "../support/faulty-clock.ts";
import { startScene } from "../support/scene.ts";
import { sleep } from "../support/sleep.ts";
import { stopWithin } from "../support/stopping.ts";
import { recordTelemetry, type TelemetryRecorder } from "../support/telemetry-recorder.ts";
import { TestSource } from "../support/test-source.ts";

const pipeline = "scene";
const of = { pipeline, source: "test", index: 0 };

/** A run in which everything happens that is told of. */
async function eventful(): Promise<TelemetryRecorder> {
  const telemetry = recordTelemetry(pipeline);
  const clock = faultyClock();
  let writes = 0;
  const source = new TestSource([], {
    pull: (usual) => [...(usual() ?? []), ...(usual() ?? [])],
    acknowledge: (usual, { succeeded }) => {
      if (succeeded.some(({ incoming }) => incoming.payload === 9)) throw new Error("refused");
      usual();
    },
  });
  const { running } = await startScene(
    {
      maxInFlight: 4,
      processor: {
        retry: retry({ attempts: 2, backoff: constant(50) }),
        handle(message: any): any {
          if (message.data === 1) throw new Error("no");
          return message.data === 2 ? message.to("sink") : undefined;
        },
      },
      batchers: { sink: { size: 10, timeout: 70, handle() {} } },
      deadLetter: {
        name: "dlq",
        write() {
          if (++writes === 1) throw new Error("full");
        },
      },
      onFailed() {
        throw new Error("unheard");
      },
    },
    source,
    { clock },
  );
  source.contexts[0]?.telemetry("lag", { messages: 3 });
  source.push(1, 2, 9);
  await clock.advance(10_000);
  running.pause();
  running.resume();
  running.update({ maxInFlight: 1 });
  source.push(3, 4);
  await clock.advance(10);
  source.push(2);
  await clock.advance(69);
  clock.fault = "now";
  await clock.advance(10_000);
  await stopWithin(clock, running, 1000);
  const ending = await startScene({}, new TestSource([], {}, true), {});
  await ending.running.done;
  const dying = await startScene(
    {},
    new TestSource([], {
      pull() {
        throw new Error("spoilt");
      },
    }),
  );
  const died = dying.running.done.catch(() => {});
  await dying.clock.advance(60_000);
  await died;
  telemetry[Symbol.dispose]();
  return telemetry;
}

describe("telemetry", () => {
  const source = textOf("packages/core/src/telemetry.ts");

  it.each(TELEMETRY_NAMES)("publishes %s with exactly its fields", async (name) => {
    const published = (await eventful()).of(name);
    expect(published.length).toBeGreaterThan(0);
    const fields = fieldsAfter(source, `"${name}":`).sort();
    for (const event of published) expect(Object.keys(event).sort()).toEqual(fields);
  });

  it("tells the life of a pipeline in its order", async () => {
    using telemetry = recordTelemetry(pipeline);
    const { clock, running } = await startScene({}, new TestSource([1, 2]));
    await stopWithin(clock, running, 1000);
    const own = telemetry.all.filter(({ event }) => (event as any).source !== "push");
    expect(own).toEqual([
      { name: "westend:producer:opened", event: of },
      { name: "westend:producer:pulled", event: { ...of, messages: 2, duration: 0 } },
      {
        name: "westend:acknowledge:done",
        event: { pipeline, source: "test", succeeded: 2, failed: 0, duration: 0 },
      },
      { name: "westend:pipeline:started", event: { pipeline } },
      { name: "westend:pipeline:draining", event: { pipeline, timeout: 1000, inFlight: 0 } },
      { name: "westend:producer:closed", event: of },
      {
        name: "westend:pipeline:stopped",
        event: { pipeline, report: expect.objectContaining({ received: 2, succeeded: 2 }) },
      },
    ]);
  });

  it("tells of a failed attempt what is done about it", async () => {
    using telemetry = recordTelemetry(pipeline);
    const error = new Error("no");
    const { clock, running } = await startScene(
      {
        processor: {
          retry: retry({ attempts: 2, backoff: constant(50), whenExhausted: "fail" }),
          handle() {
            throw error;
          },
        },
      },
      new TestSource([1]),
    );
    await clock.advance(100);
    const label = { pipeline, source: "test", batcher: undefined, error };
    expect(telemetry.of("westend:message:failed")).toEqual([
      { ...label, attempt: 1, action: "retry", delay: 50 },
      { ...label, attempt: 2, action: "fail", delay: 0 },
    ]);
    await stopWithin(clock, running, 100);
  });

  it("measures how long pulls and acknowledgements take", async () => {
    using telemetry = recordTelemetry(pipeline);
    let begin = (): void => {};
    const source: TestSource = new TestSource([1], {
      pull: async (usual) => {
        await new Promise<void>((resolve) => (begin = resolve));
        return usual();
      },
      acknowledge: (usual) => sleep(source.contexts[0]!.clock, 30).then(usual),
    });
    const { clock, running } = await startScene({}, source);
    await clock.advance(20);
    begin();
    await clock.advance(100);
    expect(telemetry.of("westend:producer:pulled")).toMatchObject([{ messages: 1, duration: 20 }]);
    expect(telemetry.of("westend:acknowledge:done")).toMatchObject([{ duration: 30 }]);
    await stopWithin(clock, running, 100);
  });
});

describe("a subscriber that throws", () => {
  it("does not stop the pipeline: Node raises its error as an uncaught exception", async () => {
    const uncaught: unknown[] = [];
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    const listener = (error: unknown): void => void uncaught.push(error);
    process.on("uncaughtException", listener);
    const throwing = (): never => {
      throw new Error("subscriber");
    };
    const names = [...TELEMETRY_NAMES, "tracing:westend:handle:start", "tracing:westend:batch:end"];
    for (const name of names) subscribe(name, throwing);
    try {
      const { clock, source, running } = await startScene(
        {
          processor: { handle: (message: any) => message.to("sink") },
          batchers: { sink: { size: 2, handle() {} } },
        },
        new TestSource([1, 2]),
      );
      await clock.settle();
      expect(source.acknowledged).toEqual([1, 2]);
      const { report } = await stopWithin(clock, running, 1000);
      expect(report).toMatchObject({ received: 2, succeeded: 2 });
    } finally {
      for (const name of names) unsubscribe(name, throwing);
      process.off("uncaughtException", listener);
      for (const other of others) process.on("uncaughtException", other);
    }
    expect(uncaught.length).toBeGreaterThan(5);
  });
});
