import { ConfigurationError } from "westend";
import { describe, expect, it } from "vitest";
import { never } from "../support/deferred.ts";
import { type SceneOptions, startScene } from "../support/scene.ts";
import { sleep } from "../support/sleep.ts";
import { stopWithin } from "../support/stopping.ts";
import { recordTelemetry } from "../support/telemetry-recorder.ts";
import { numbers, TestSource } from "../support/test-source.ts";

/** A pipeline whose handlers take 100 ms each, and how many of them run at most in a while. */
async function working(options: SceneOptions = {}) {
  let running = 0;
  let most = 0;
  const scene = await startScene(
    {
      maxInFlight: 100,
      ...options,
      processor: {
        concurrency: 4,
        async handle() {
          most = Math.max(most, ++running);
          await sleep(scene.clock, 100);
          running--;
        },
      },
    },
    new TestSource(),
  );
  scene.source.push(...numbers(1, 500));
  await scene.clock.settle();
  const busiest = async (milliseconds: number): Promise<number> => {
    most = running;
    await scene.clock.advance(milliseconds);
    return most;
  };
  return { ...scene, busiest, now: () => running };
}

const batching = (options = {}): SceneOptions => ({
  processor: { handle: (message: any) => message.to("sink") },
  batchers: { sink: { size: 10, timeout: 1000, handle() {}, ...options } },
  maxInFlight: 1000,
});

describe("update of processor.concurrency", () => {
  it("runs more at once from now on", async () => {
    const { clock, busiest, now, running } = await working();
    expect(now()).toBe(4);
    running.update({ processor: { concurrency: 9 } });
    expect(now()).toBe(9);
    expect(await busiest(1000)).toBe(9);
    expect(running.stats().processor.concurrency).toBe(9);
    expect(running.topology().processor.concurrency).toBe(9);
    await stopWithin(clock, running, 1000);
  });

  it("starts nothing until what runs is below a lower limit", async () => {
    const { clock, busiest, now, running } = await working();
    running.update({ processor: { concurrency: 2 } });
    expect(now()).toBe(4);
    await clock.advance(100);
    expect(await busiest(1000)).toBe(2);
    await stopWithin(clock, running, 1000);
  });
});

describe("update of maxInFlight", () => {
  it("takes more from now on", async () => {
    const { clock, source, running } = await startScene(
      { maxInFlight: 5, processor: { handle: () => never } },
      new TestSource(numbers(1, 100)),
    );
    expect(source.taken).toHaveLength(5);
    running.update({ maxInFlight: 30 });
    await clock.settle();
    expect(source.taken).toHaveLength(30);
    await stopWithin(clock, running, 100);
  });

  it("takes nothing until what is in flight is below a lower limit, and keeps to it", async () => {
    const { clock, source, running } = await working();
    expect(source.taken).toHaveLength(100);
    running.update({ maxInFlight: 3 });
    let reached = false;
    for (let step = 0; step < 50; step++) {
      const before = source.taken.length;
      await clock.advance(100);
      expect(source.taken.length).toBeLessThanOrEqual(Math.max(3, before));
      reached ||= source.taken.length <= 3;
    }
    expect(reached).toBe(true);
    expect(source.acknowledged.length).toBeGreaterThan(100);
    await stopWithin(clock, running, 1000);
  });
});

describe("update of a batcher", () => {
  it("emits at the new size, and at once what is full by it", async () => {
    const sizes: number[] = [];
    const { clock, source, running } = await startScene(
      batching({ size: 100, handle: (messages: any[]) => void sizes.push(messages.length) }),
      new TestSource(numbers(1, 7)),
    );
    running.update({ batchers: { sink: { size: 5 } } });
    await clock.settle();
    expect(sizes).toEqual([7]);
    source.push(...numbers(8, 17));
    await clock.settle();
    expect(sizes).toEqual([7, 5, 5]);
    await stopWithin(clock, running, 100);
  });

  it("counts the new timeout from the first message of an open batch", async () => {
    const sizes: number[] = [];
    const { clock, running } = await startScene(
      batching({ timeout: 60_000, handle: (messages: any[]) => void sizes.push(messages.length) }),
      new TestSource([1, 2]),
    );
    await clock.advance(400);
    running.update({ batchers: { sink: { timeout: 500 } } });
    await clock.advance(99);
    expect(sizes).toEqual([]);
    await clock.advance(1);
    expect(sizes).toEqual([2]);
    await stopWithin(clock, running, 100);
  });

  it("hands over more batches at once, or fewer", async () => {
    let running = 0;
    const scene = await startScene(
      batching({
        size: 1,
        concurrency: 1,
        async handle() {
          running++;
          await sleep(scene.clock, 100);
          running--;
        },
      }),
      new TestSource(),
    );
    scene.source.push(...numbers(1, 100));
    await scene.clock.settle();
    expect(running).toBe(1);
    scene.running.update({ batchers: { sink: { concurrency: 5 } } });
    await scene.clock.settle();
    expect(running).toBe(5);
    scene.running.update({ batchers: { sink: { concurrency: 2 } } });
    await scene.clock.advance(150);
    expect(running).toBe(2);
    await stopWithin(scene.clock, scene.running, 60_000);
  });
});

describe("update of rateLimit", () => {
  it("sets a limit, changes it, and lifts it with null", async () => {
    const { clock, source, running } = await startScene({ maxInFlight: 10 }, new TestSource());
    running.update({ rateLimit: { messages: 10, interval: 1000 } });
    source.push(...numbers(1, 500));
    await clock.advance(1000);
    expect(source.acknowledged).toHaveLength(20);
    running.update({ rateLimit: { messages: 100, interval: 1000 } });
    await clock.advance(1000);
    expect(source.acknowledged).toHaveLength(120);
    running.update({ rateLimit: null });
    await clock.settle();
    expect(source.acknowledged).toHaveLength(500);
    expect(clock.timers).toBe(0);
    await stopWithin(clock, running, 100);
  });

  it("during a pull does not give the new limit what that pull had taken from the old one", async () => {
    let open = (): void => {};
    let pulls = 0;
    const source = new TestSource([], {
      pull: (usual) =>
        ++pulls === 1 ? new Promise((resolve) => (open = () => resolve(usual()))) : usual(),
    });
    const { clock, running } = await startScene(
      { maxInFlight: 100, rateLimit: { messages: 50, interval: 1000 } },
      source,
    );
    running.update({ rateLimit: null });
    running.update({ rateLimit: { messages: 5, interval: 1_000_000 } });
    open();
    source.push(...numbers(1, 100));
    await clock.settle();
    expect(source.acknowledged).toHaveLength(5);
    await stopWithin(clock, running, 100);
  });
});

describe("an update that is wrong", () => {
  it.each<[string, object]>([
    ["processor.concurrency", { processor: { concurrency: 0 }, maxInFlight: 7 }],
    ["batchers.sink.size", { batchers: { sink: { size: -1 } }, maxInFlight: 7 }],
    ["batchers.other", { batchers: { other: { size: 1 } }, maxInFlight: 7 }],
    ["rateLimit.messages", { rateLimit: { messages: 0, interval: 1 }, maxInFlight: 7 }],
    ["maxInFlight", { maxInFlight: 0, processor: { concurrency: 7 } }],
    ["unknown", { unknown: 1, maxInFlight: 7 }],
  ])("at %s changes nothing", async (path, changes) => {
    using telemetry = recordTelemetry("scene");
    const { clock, running } = await startScene(batching());
    const before = [running.stats(), running.topology()];
    let error: unknown;
    try {
      running.update(changes);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ConfigurationError);
    expect((error as Error).message).toContain(path);
    expect([running.stats(), running.topology()]).toEqual(before);
    expect(telemetry.of("westend:pipeline:updated")).toEqual([]);
    await stopWithin(clock, running, 100);
  });

  it("of fewer messages than there are sessions is refused, as at the definition", async () => {
    const source = new TestSource();
    const { clock, running } = await startScene({
      producer: { producer: source, concurrency: 3 },
      maxInFlight: 9,
    });
    expect(() => running.update({ maxInFlight: 2 })).toThrow(ConfigurationError);
    expect(running.stats().maxInFlight).toBe(9);
    await stopWithin(clock, running, 100);
  });
});

describe("an update", () => {
  it("is told, with the paths of what it changed", async () => {
    using telemetry = recordTelemetry("scene");
    const { clock, running } = await startScene(batching());
    running.update({
      processor: { concurrency: 3 },
      batchers: { sink: { size: 5, timeout: 10 } },
      rateLimit: null,
    });
    expect(telemetry.of("westend:pipeline:updated")).toEqual([
      {
        pipeline: "scene",
        paths: [
          "processor.concurrency",
          "batchers.sink.size",
          "batchers.sink.timeout",
          "rateLimit",
        ],
      },
    ]);
    await stopWithin(clock, running, 100);
  });

  it("leaves alone what it does not name", async () => {
    const { clock, running } = await startScene(batching({ concurrency: 3 }));
    running.update({ maxInFlight: 50 });
    running.update({ batchers: { sink: { size: 4 } } });
    running.update({ processor: {} });
    expect(running.stats()).toMatchObject({
      maxInFlight: 50,
      processor: { concurrency: 10 },
      batchers: { sink: { concurrency: 3 } },
    });
    await stopWithin(clock, running, 100);
  });
});
