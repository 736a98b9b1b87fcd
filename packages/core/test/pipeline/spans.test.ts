import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, expect, it } from "vitest";
import { batchChannel, handleChannel } from "../../src/telemetry.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { given } from "../support/given-source.ts";
import { startScene } from "../support/scene.ts";
import { sleep } from "../support/sleep.ts";
import { stopWithin } from "../support/stopping.ts";
import { TestSource } from "../support/test-source.ts";
import { runTopology } from "../support/topology-run.ts";

const pipeline = "scene";

describe("spans", () => {
  it("run around every handler, and leave its result alone", async () => {
    const spans: [string, any][] = [];
    const listeners = [handleChannel, batchChannel].flatMap((channel) =>
      (["start", "end", "asyncStart", "asyncEnd", "error"] as const).map((kind) => {
        const { name } = channel[kind];
        const listener = (context: unknown): void => void spans.push([String(name), context]);
        subscribe(name, listener);
        return () => unsubscribe(name, listener);
      }),
    );
    const { clock, source, running } = await startScene(
      {
        processor: {
          async handle(message: any): Promise<any> {
            if (message.data === 2) throw new Error("no");
            return message.to("sink");
          },
        },
        batchers: { sink: { size: 1, handle() {} } },
      },
      new TestSource([1, 2]),
    );
    await clock.settle();
    for (const stop of listeners) stop();
    expect(source.acknowledgements.map(({ outcome }) => outcome).sort()).toEqual([
      "failed",
      "succeeded",
    ]);
    const handle = spans.filter(([name]) => name.includes("handle"));
    const first = handle.filter(([, context]) => context === handle[0]?.[1]).map(([name]) => name);
    expect(first).toEqual(
      ["start", "end", "asyncStart", "asyncEnd"].map((kind) => `tracing:westend:handle:${kind}`),
    );
    const failed = handle.filter(([, context]) => context.error !== undefined);
    expect(failed.map(([name]) => name.split(":").at(-1))).toEqual([
      "start",
      "end",
      "error",
      "asyncStart",
      "asyncEnd",
    ]);
    expect(handle[0]?.[1]).toEqual({ pipeline, source: "test", attempt: 1, receivedAt: 0 });
    const batch = spans.filter(([name]) => name.includes("westend:batch"));
    expect(batch.map(([name]) => name.split(":").at(-1))).toEqual(["start", "end"]);
    expect(batch[0]?.[1]).toEqual({
      pipeline,
      batcher: "sink",
      size: 1,
      bytes: 0,
      trigger: "size",
      attempt: 1,
    });
    await stopWithin(clock, running, 100);
  });

  it("carry a bound store into the handler", async () => {
    const storage = new AsyncLocalStorage<{ readonly span: string }>();
    handleChannel.start.bindStore(storage, () => ({ span: "bound" }));
    const seen: unknown[] = [];
    const { clock, running } = await startScene(
      {
        processor: {
          async handle() {
            await Promise.resolve();
            seen.push(storage.getStore());
          },
        },
      },
      new TestSource([1]),
    );
    await clock.settle();
    handleChannel.start.unbindStore(storage);
    expect(seen).toEqual([{ span: "bound" }]);
    expect(storage.getStore()).toBeUndefined();
    await stopWithin(clock, running, 100);
  });

  it("end when the handler has, though its message was given up long before", async () => {
    const clock = virtualClock();
    const kinds: string[] = [];
    const on = (kind: string) => () => void kinds.push(`${kind} at ${clock.now()}`);
    const subscriber = {
      start: on("start"),
      end: on("end"),
      asyncStart: on("asyncStart"),
      asyncEnd: on("asyncEnd"),
      error: on("error"),
    };
    handleChannel.subscribe(subscriber);
    const report = await runTopology(
      { producer: given([1]), processor: { timeout: 100, handle: () => sleep(clock, 300) } },
      { clock },
    );
    await clock.advance(1000);
    handleChannel.unsubscribe(subscriber);
    expect(report).toMatchObject({ failed: 1 });
    expect(kinds).toEqual(["start at 0", "end at 0", "asyncStart at 300", "asyncEnd at 300"]);
  });

  it("of a handler that need not be awaited leaves nothing to the one after it", async () => {
    const ended: unknown[] = [];
    const subscriber = {
      start() {},
      end() {},
      asyncStart() {},
      asyncEnd: (context: unknown) => void ended.push(context),
      error() {},
    };
    handleChannel.subscribe(subscriber);
    await runTopology({
      producer: given([1, 2]),
      processor: {
        concurrency: 1,
        handle({ data }) {
          // Nobody looks at spans while the second begins.
          if (data === 1) handleChannel.unsubscribe(subscriber);
          else handleChannel.subscribe(subscriber);
          return data === 1 ? undefined : Promise.resolve();
        },
      },
    });
    handleChannel.unsubscribe(subscriber);
    expect(ended).toEqual([]);
  });
});
