import { definePipeline } from "westend";
import { describe, expect, it } from "vitest";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { type Scene, startScene } from "../support/scene.ts";
import { stopWithin } from "../support/stopping.ts";
import { TestSource } from "../support/test-source.ts";

describe("handleSignals", () => {
  const listeners = (): number[] =>
    (["SIGTERM", "SIGINT"] as const).map((name) => process.listenerCount(name));

  it.each(["SIGTERM", "SIGINT"] as const)("drains the pipeline on %s", async (name) => {
    const before = listeners();
    const { source, running } = await startScene({}, new TestSource([1, 2]), {
      handleSignals: true,
    });
    expect(listeners()).toEqual(before.map((count) => count + 1));
    // Only ours are called: those of the test runner must not hear of it.
    const own = process.listeners(name).at(-1) as (signal: string) => void;
    own(name);
    expect(await running.done).toMatchObject({ received: 2, succeeded: 2 });
    expect(source.acknowledged).toEqual([1, 2]);
    expect(listeners()).toEqual(before);
  });

  it("listens once for however many pipelines, until the last of them has ended", async () => {
    const before = listeners();
    const scenes = [];
    for (let count = 0; count < 3; count++) {
      scenes.push(await startScene({}, undefined, { handleSignals: true }));
    }
    const [first, ...others] = scenes as [Scene, ...Scene[]];
    await stopWithin(first.clock, first.running, 0);
    expect(listeners()).toEqual(before.map((count) => count + 1));
    const own = process.listeners("SIGTERM").at(-1) as (signal: string) => void;
    own("SIGTERM");
    await Promise.all(others.map(({ running }) => running.done));
    expect(listeners()).toEqual(before);
  });

  it("is off unless it is asked for", async () => {
    const before = listeners();
    const { clock, running } = await startScene();
    expect(listeners()).toEqual(before);
    await stopWithin(clock, running, 0);
  });

  it("leaves no listener behind when start rejects", async () => {
    const before = listeners();
    const clock = virtualClock();
    const pipeline = definePipeline<any, void, any>({
      name: "signals",
      producer: {
        name: "bad",
        open() {
          throw new Error("the broker is away");
        },
      },
      processor: { handle() {} },
    });
    const failed = pipeline.start({ clock, handleSignals: true }).catch((error: unknown) => error);
    await clock.advance(60_000);
    await failed;
    expect(listeners()).toEqual(before);
  });
});
