import { systemClock } from "westend";
import { describe, expect, it } from "vitest";
import { deferred, never } from "../support/deferred.ts";
import { startScene } from "../support/scene.ts";
import { stopWithin } from "../support/stopping.ts";
import { recordTelemetry } from "../support/telemetry-recorder.ts";
import { numbers, TestSource, type TestSourceBehaviour } from "../support/test-source.ts";

const spoilt = (): never => {
  throw new Error("spoilt");
};

/** Behaves so at its `nth` pull, and as usual at all others. */
function atPull(nth: number, wrong: (usual: () => any) => unknown): TestSourceBehaviour {
  let pulls = 0;
  return { pull: (usual) => (++pulls === nth ? wrong(usual) : usual()) };
}

async function run(source: TestSource, options = {}) {
  const telemetry = recordTelemetry("scene");
  const handled: number[] = [];
  const scene = await startScene(
    { processor: { handle: (message: any) => void handled.push(message.data) }, ...options },
    source,
  );
  await scene.clock.advance(200);
  source.push(...numbers(11, 15));
  await scene.clock.advance(200);
  telemetry[Symbol.dispose]();
  const errors = telemetry.of("westend:producer:error").map(({ error }) => error as Error);
  return { ...scene, handled, errors, telemetry };
}

describe("a pull that breaks its contract", () => {
  it.each<[string, (usual: () => any) => unknown, string]>([
    ["rejects", () => Promise.reject(new Error("spoilt")), "failed: spoilt"],
    ["throws", spoilt, "failed: spoilt"],
    ["gives a number", () => 7, "pull() gave a number instead of an array or null"],
    ["gives undefined", () => undefined, "pull() gave undefined instead of"],
    ["resolves to undefined", async () => undefined, "pull() gave undefined instead of"],
    ["resolves to an object", async () => ({}), "pull() gave an object instead of"],
    ["rejects with nothing", () => Promise.reject(), "failed: undefined"],
    // oxlint-disable-next-line unicorn/no-thenable
    ["gives a thenable that throws", () => ({ then: spoilt }), "failed: spoilt"],
  ])(
    "and %s ends its session; the next one goes on, and nothing is lost",
    async (_, wrong, text) => {
      const source = new TestSource(numbers(1, 10), atPull(1, wrong));
      const { clock, handled, errors, running } = await run(source);
      expect(errors).toHaveLength(1);
      expect(errors[0]).toMatchObject({ code: "WESTEND_ERR_PRODUCER" });
      expect(errors[0]?.message).toContain('The producer "test"');
      expect(errors[0]?.message).toContain(text);
      expect(handled).toEqual(numbers(1, 15));
      expect(source.acknowledged).toEqual(numbers(1, 15));
      expect(source.calls).toContain("close 0");
      await stopWithin(clock, running, 0);
    },
  );

  it("and gives nothing among its messages: the others are handled, the session is replaced", async () => {
    const source = new TestSource(
      numbers(1, 10),
      atPull(1, (usual) => [null, ...usual(), 5, undefined]),
    );
    const { clock, handled, errors, running } = await run(source);
    expect(errors[0]?.message).toContain("among its messages");
    expect(handled).toEqual(numbers(1, 15));
    expect(source.acknowledged).toEqual(numbers(1, 15));
    expect(source.acknowledgements[0]?.session).toBe(0);
    await stopWithin(clock, running, 0);
  });

  it.each(["size", "payload", "key"])(
    "and gives a message that throws when asked for its %s: the others are handled, the session is replaced",
    async (property) => {
      const broken = Object.defineProperty({ metadata: {} }, property, { get: spoilt });
      const source = new TestSource(
        numbers(1, 10),
        atPull(1, (usual) => [...usual(), broken]),
      );
      const { clock, handled, errors, running } = await run(source);
      expect(errors[0]?.message).toContain("failed: spoilt");
      expect(handled).toEqual(numbers(1, 15));
      expect(source.acknowledged).toEqual(numbers(1, 15));
      await stopWithin(clock, running, 0);
    },
  );

  it("and gives a message that throws when asked for its defect: that fails, the others are handled", async () => {
    const broken = Object.defineProperty({ payload: 0, metadata: {} }, "defect", { get: spoilt });
    const source = new TestSource(
      numbers(1, 10),
      atPull(1, (usual) => [...usual(), broken]),
    );
    const { clock, handled, errors, running, telemetry } = await run(source);
    expect(errors).toEqual([]);
    expect(telemetry.of("westend:message:failed")).toHaveLength(1);
    expect(handled).toEqual(numbers(1, 15));
    expect(running.stats()).toMatchObject({ failed: 1, inFlight: 0 });
    await stopWithin(clock, running, 0);
  });

  it("and gives more than it was asked for: the rest waits for room, and it is said", async () => {
    let most = 0;
    let running = 0;
    const source = new TestSource([], {
      pull: (usual, demand) => {
        const all = [usual()];
        while ((all.at(-1) as any[]).length > 0) all.push(usual());
        void demand;
        return all.flat();
      },
    });
    source.push(...numbers(1, 10));
    const scene = await run(source, {
      maxInFlight: 3,
      processor: {
        handle: async () => {
          most = Math.max(most, ++running);
          await Promise.resolve();
          running--;
        },
      },
    });
    expect(scene.errors[0]).toMatchObject({ code: "WESTEND_ERR_PRODUCER" });
    expect(scene.errors[0]?.message).toContain("gave 10 messages for a demand of 3");
    expect(most).toBeLessThanOrEqual(3);
    expect(source.acknowledged).toEqual(numbers(1, 15));
    await stopWithin(scene.clock, scene.running, 0);
  });

  it("and gives more than it was asked for: what still waits for room goes back on a stop", async () => {
    const source = new TestSource(numbers(1, 10), {
      pull: (usual) => [usual(), usual(), usual(), usual()].flat(),
    });
    const { clock, running } = await startScene(
      { maxInFlight: 3, processor: { handle: () => never } },
      source,
    );
    const { report } = await stopWithin(clock, running, 100);
    expect(report.succeeded).toBe(0);
    expect(source.waiting).toEqual(numbers(1, 10));
    expect(source.taken).toEqual([]);
  });

  it("and hangs is not asked again, but other sources go on", async () => {
    const stuck = new TestSource([], { name: "stuck", pull: () => never });
    const good = new TestSource(numbers(1, 100), { name: "good" });
    const { clock, running } = await startScene(
      { producer: undefined, producers: { stuck, good }, maxInFlight: 4 },
      good,
    );
    expect(good.acknowledged).toEqual(numbers(1, 100));
    expect(stuck.demands).toHaveLength(1);
    await stopWithin(clock, running, 0);
  });

  it("and resolves after its signal has aborted gives its messages back", async () => {
    const late = deferred();
    const source = new TestSource(numbers(1, 3), {
      pull: (usual) => late.promise.then(() => usual()),
    });
    const { clock, running } = await startScene({}, source);
    const stopped = running.stop({ timeout: 1000 });
    await clock.advance(100);
    late.resolve();
    await clock.settle();
    expect(await stopped).toMatchObject({ received: 3, released: 3 });
    expect(source.waiting).toEqual([1, 2, 3]);
  });

  it("and rejects because its signal aborted is no failure", async () => {
    using telemetry = recordTelemetry("scene");
    const { clock, running } = await startScene(
      {},
      new TestSource([], {
        pull: (_, __, signal) =>
          new Promise((_resolve, reject) =>
            signal.addEventListener("abort", () => reject(signal.reason as Error)),
          ),
      }),
    );
    await stopWithin(clock, running, 1000);
    expect(telemetry.of("westend:producer:error")).toEqual([]);
    expect(running.status).toBe("stopped");
  });
});

describe("a source that has ended", () => {
  it("is not pulled again", async () => {
    let ended = false;
    const source = new TestSource([1, 2], {
      pull: (usual) => {
        expect(ended).toBe(false);
        const pulled = usual();
        ended = pulled?.length === 0;
        return ended ? null : pulled;
      },
    });
    const { clock, running } = await startScene({}, source);
    source.wake();
    await clock.advance(1000);
    expect(await running.done).toMatchObject({ received: 2, succeeded: 2 });
  });
});

describe("wake", () => {
  it("storms cost no more than a pull each, and never spin", async () => {
    const source = new TestSource([]);
    const { clock, running } = await startScene({}, source);
    const before = source.demands.length;
    for (let storm = 0; storm < 100; storm++) source.wake();
    await clock.settle();
    expect(source.demands.length - before).toBeLessThanOrEqual(101);
    await stopWithin(clock, running, 0);
  });

  it("during a pull that turns out empty makes for another one, and leaves the event loop its turns", async () => {
    let turns = 0;
    let stop = false;
    const source: TestSource = new TestSource([], {
      pull: () => {
        if (!stop) source.wake();
        return [];
      },
    });
    const { running } = await startScene({}, source, { clock: systemClock });
    for (; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve));
    expect(source.demands.length).toBeGreaterThan(2);
    expect(source.demands.length).toBeLessThan(500);
    stop = true;
    await running.stop();
  });

  it("after the end of the pipeline does nothing", async () => {
    const source = new TestSource([]);
    const { clock, running } = await startScene({}, source);
    await stopWithin(clock, running, 0);
    const pulls = source.demands.length;
    source.push(1);
    await clock.advance(1000);
    expect(source.demands).toHaveLength(pulls);
  });
});

describe("an empty pull", () => {
  it("is followed by another after `idle` milliseconds", async () => {
    const source = new TestSource([], { idle: 250 });
    const { clock, running } = await startScene({}, source);
    expect(source.demands).toHaveLength(1);
    await clock.advance(249);
    expect(source.demands).toHaveLength(1);
    await clock.advance(1);
    expect(source.demands).toHaveLength(2);
    await clock.advance(1000);
    expect(source.demands).toHaveLength(6);
    await stopWithin(clock, running, 0);
    expect(clock.timers).toBe(0);
  });
});

describe("an acknowledgement that breaks its contract", () => {
  it("and refuses a message twice is counted once", async () => {
    let calls = 0;
    const source = new TestSource([1, 2], {
      acknowledge: (usual, { succeeded }) => {
        if (++calls > 1) return usual();
        return { refused: [succeeded[0], succeeded[0]] as any };
      },
    });
    const { clock, running } = await startScene({}, source);
    await clock.advance(1000);
    expect(running.stats()).toMatchObject({ received: 2, succeeded: 2, inFlight: 0 });
    await stopWithin(clock, running, 0);
  });

  it("and refuses what was not its own takes the rest as done", async () => {
    const source = new TestSource([1, 2], {
      acknowledge: (usual) => {
        usual();
        return { refused: [{ incoming: {} }] as any };
      },
    });
    const { clock, running } = await startScene({}, source);
    await clock.advance(10_000);
    expect(running.stats()).toMatchObject({ succeeded: 2, inFlight: 0 });
    await stopWithin(clock, running, 0);
  });
});
