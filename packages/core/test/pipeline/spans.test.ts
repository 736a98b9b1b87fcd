import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, expect, it } from "vitest";
import { batchChannel, handleChannel } from "../../src/telemetry.ts";
import { startScene } from "../support/scene.ts";
import { stopWithin } from "../support/stopping.ts";
import { TestSource } from "../support/test-source.ts";

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
});
