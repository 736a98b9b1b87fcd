import { definePipeline, pipelines } from "westend";
import { describe, expect, it } from "vitest";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { deferred, never } from "../support/deferred.ts";
import { NO_DELAYS } from "../support/no-delays.ts";
import { startScene } from "../support/scene.ts";
import { stopWithin } from "../support/stopping.ts";
import { recordTelemetry } from "../support/telemetry-recorder.ts";
import { numbers, TestSource } from "../support/test-source.ts";

const failing = (): never => {
  throw new Error("the broker is away");
};

function define(options: object) {
  return definePipeline<any, any, any>({
    name: "starting",
    producer: new TestSource(),
    processor: { handle() {} },
    ...options,
  } as any);
}

describe("start", () => {
  it("resolves once every session of every producer is open", async () => {
    const gate = deferred();
    const a = new TestSource([], { name: "a" });
    const b = new TestSource([], {
      name: "b",
      open: (session) => (session === 1 ? gate.promise : undefined),
    });
    const clock = virtualClock();
    let started = false;
    const starting = define({
      producer: undefined,
      producers: { a, b: { producer: b, concurrency: 2 } },
    })
      .start({ clock })
      .then((running) => {
        started = true;
        return running;
      });
    await clock.settle();
    expect(started).toBe(false);
    gate.resolve();
    const running = await starting;
    expect([a.contexts.length, b.contexts.length]).toEqual([1, 2]);
    expect(b.contexts.map(({ index }) => index)).toEqual([0, 1]);
    await stopWithin(clock, running, 0);
  });

  it("tells each session who it is", async () => {
    const source = new TestSource([], { name: "numbers" });
    const { clock, running } = await startScene({}, source);
    const [context] = source.contexts;
    expect(context).toMatchObject({ pipeline: "scene", source: "numbers", index: 0, clock });
    expect(context?.signal.aborted).toBe(false);
    await stopWithin(clock, running, 0);
    expect(context?.signal.aborted).toBe(true);
  });

  it("opens a producer again that could not be opened at first", async () => {
    const source = new TestSource([1, 2], {
      open: (session) => (session < 3 ? failing() : undefined),
    });
    const clock = virtualClock();
    const starting = define({ producer: source }).start({ clock });
    await clock.advance(700);
    const running = await starting;
    expect(running.status).toBe("running");
    await clock.settle();
    expect(source.acknowledged).toEqual([1, 2]);
    await stopWithin(clock, running, 0);
  });

  it.each([
    ["throws", { open: failing, cause: "the broker is away" }],
    ["gives nothing", { open: undefined, cause: "open() gave no pull" }],
  ])(
    "rejects after as many attempts as the restart budget allows when open %s",
    async (_, { open, cause }) => {
      using telemetry = recordTelemetry("starting");
      let opened = 0;
      const producer = {
        name: "away",
        open(): any {
          opened++;
          return open?.();
        },
      };
      const clock = virtualClock();
      const failed = define({ producer })
        .start({ clock })
        .catch((error: unknown) => error);
      await clock.advance(60_000);
      expect(await failed).toMatchObject({
        code: "WESTEND_ERR_PRODUCER",
        cause: { message: expect.stringContaining(cause) },
      });
      expect(((await failed) as Error).message).toContain(
        'The producer "away" could not be opened',
      );
      expect(opened).toBe(4);
      expect(clock.timers).toBe(0);
      expect(pipelines()).toEqual([]);
      expect(telemetry.of("westend:pipeline:started")).toEqual([]);
      expect(telemetry.of("westend:pipeline:failed")).toHaveLength(1);
    },
  );

  it.each(NO_DELAYS)(
    "rejects when open and the back-off of restart fail: it %s",
    async (_, delay) => {
      const clock = virtualClock();
      const producer = { name: "away", open: failing };
      const failed = define({ producer, restart: { backoff: { delay } } })
        .start({ clock })
        .catch((error: unknown) => error);
      await clock.advance(3000);
      expect(await failed).toMatchObject({ code: "WESTEND_ERR_PRODUCER" });
    },
  );

  it("closes the producers that could be opened when one cannot", async () => {
    const good = new TestSource(numbers(1, 5), { name: "good" });
    const clock = virtualClock();
    const failed = define({
      producer: undefined,
      producers: { good, bad: { name: "bad", open: failing } },
    })
      .start({ clock })
      .catch((error: unknown) => error);
    await clock.advance(60_000);
    expect(await failed).toMatchObject({ code: "WESTEND_ERR_PRODUCER" });
    expect(good.calls.at(-1)).toBe("close 0");
    expect(good.taken).toEqual([]);
    expect(clock.timers).toBe(0);
  });

  it("rejects with what the dead-letter sink throws when it is opened, before any producer is", async () => {
    const source = new TestSource();
    const clock = virtualClock();
    const started = define({
      producer: source,
      deadLetter: { name: "dlq", open: failing, write() {} },
    }).start({ clock });
    await expect(started).rejects.toThrow("the broker is away");
    expect(source.calls).toEqual([]);
    expect(clock.timers).toBe(0);
    expect(pipelines()).toEqual([]);
  });

  it("opens the dead-letter sink first and closes it last, once each", async () => {
    const calls: string[] = [];
    const source = new TestSource([], {
      open: () => void calls.push("open source"),
    });
    const sink = {
      name: "dlq",
      open: () => void calls.push("open sink"),
      write() {},
      close: () => void calls.push("close sink"),
    };
    const { clock, running } = await startScene({ deadLetter: sink }, source);
    await stopWithin(clock, running, 100);
    expect(calls).toEqual(["open sink", "open source", "close sink"]);
  });

  it("shares nothing between the runs of one definition", async () => {
    const clock = virtualClock();
    const pipeline = define({ producer: new TestSource(numbers(1, 3)) });
    const first = await pipeline.start({ clock });
    await clock.settle();
    await stopWithin(clock, first, 0);
    const second = await pipeline.start({ clock });
    await clock.settle();
    expect(second.stats()).toMatchObject({ received: 0, status: "running" });
    await stopWithin(clock, second, 0);
  });
});

describe("the signal given to start", () => {
  it("drains the pipeline when it aborts", async () => {
    const controller = new AbortController();
    const gate = deferred();
    const { source, running } = await startScene(
      { processor: { handle: () => gate.promise } },
      new TestSource([1, 2]),
      { signal: controller.signal },
    );
    controller.abort();
    expect(running.status).toBe("draining");
    gate.resolve();
    expect(await running.done).toMatchObject({ received: 2, succeeded: 2 });
    expect(source.acknowledged).toEqual([1, 2]);
  });

  it("rejects start with its reason when it has aborted before", async () => {
    const source = new TestSource();
    const started = define({ producer: source }).start({ signal: AbortSignal.abort("too late") });
    await expect(started).rejects.toBe("too late");
    expect(source.calls).toEqual([]);
  });

  it("ends a start that waits for a producer to open", async () => {
    const controller = new AbortController();
    const clock = virtualClock();
    const source = new TestSource([], { open: () => never });
    const starting = define({ producer: source }).start({ clock, signal: controller.signal });
    await clock.settle();
    controller.abort();
    await clock.advance(31_000);
    const running = await starting;
    expect(running.status).toBe("stopped");
    expect(pipelines()).toEqual([]);
    expect(clock.timers).toBe(0);
  });

  it("opens no producer when it aborts while the dead-letter sink is opened", async () => {
    const controller = new AbortController();
    const clock = virtualClock();
    const gate = deferred();
    const calls: string[] = [];
    const source = new TestSource();
    const starting = define({
      producer: source,
      deadLetter: {
        name: "dlq",
        open: () => gate.promise,
        write() {},
        close: () => void calls.push("close"),
      },
    }).start({ clock, signal: controller.signal });
    await clock.settle();
    controller.abort();
    await clock.settle();
    gate.resolve();
    await clock.settle();
    expect((await starting).status).toBe("stopped");
    expect(source.calls).toEqual([]);
    expect(calls).toEqual(["close"]);
  });

  it("ends a start that waits for the dead-letter sink, which is closed once it is open", async () => {
    const controller = new AbortController();
    const clock = virtualClock();
    const gate = deferred();
    const calls: string[] = [];
    const source = new TestSource();
    const close = (): void => void calls.push("close");
    const deadLetter = { name: "dlq", open: () => gate.promise, write() {}, close };
    const starting = define({ producer: source, deadLetter }).start({
      clock,
      signal: controller.signal,
    });
    await clock.settle();
    controller.abort();
    await clock.advance(31_000);
    expect((await starting).status).toBe("stopped");
    expect(source.calls).toEqual([]);
    expect(clock.timers).toBe(0);
    gate.resolve();
    await clock.settle();
    expect(calls).toEqual(["close"]);
  });

  it("leaves no listener behind", async () => {
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...given: any[]) => {
      listeners++;
      (add as any)(...given);
    };
    signal.removeEventListener = (...given: any[]) => {
      listeners--;
      (remove as any)(...given);
    };
    const { clock, running } = await startScene({}, undefined, { signal });
    expect(listeners).toBe(1);
    await stopWithin(clock, running, 0);
    expect(listeners).toBe(0);
  });
});

describe("pipelines", () => {
  it("lists what runs, from the start to the end", async () => {
    expect(pipelines()).toEqual([]);
    const one = await startScene();
    const two = await startScene();
    expect(pipelines()).toEqual([one.running, two.running]);
    await stopWithin(one.clock, one.running, 0);
    expect(pipelines()).toEqual([two.running]);
    await stopWithin(two.clock, two.running, 0);
    expect(pipelines()).toEqual([]);
  });

  it("does not list a pipeline that died", async () => {
    const { clock, running } = await startScene({}, new TestSource([], { pull: failing }));
    const died = running.done.catch(() => "died");
    await clock.advance(60_000);
    expect(await died).toBe("died");
    expect(running.status).toBe("failed");
    expect(pipelines()).toEqual([]);
  });
});
