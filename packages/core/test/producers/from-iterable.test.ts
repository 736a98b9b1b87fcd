import { definePipeline, fromIterable, pipelines } from "westend";
import { describe, expect, it } from "vitest";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { deferred, never } from "../support/deferred.ts";
import { stopWithin } from "../support/stopping.ts";
import { numbers } from "../support/test-source.ts";

interface Run {
  readonly handled: number[];
  readonly clock: ReturnType<typeof virtualClock>;
  readonly pipeline: ReturnType<typeof define>;
}

function define(
  iterable: Iterable<number> | AsyncIterable<number>,
  handled: unknown[],
  options: { maxInFlight?: number; handle?: () => unknown } = {},
) {
  return definePipeline<any, void, number>({
    name: "iterable",
    producer: fromIterable(iterable),
    processor: {
      concurrency: 2,
      handle(message): any {
        handled.push(message.data);
        return options.handle?.();
      },
    },
    ...(options.maxInFlight !== undefined && { maxInFlight: options.maxInFlight }),
  });
}

function run(
  iterable: Iterable<number> | AsyncIterable<number>,
  options?: Parameters<typeof define>[2],
): Run {
  const handled: number[] = [];
  return { handled, clock: virtualClock(), pipeline: define(iterable, handled, options) };
}

function* generated(): Generator<number> {
  yield* numbers(1, 20);
}

async function* generatedLater(): AsyncGenerator<number> {
  for (const number of numbers(1, 20)) {
    await new Promise((resolve) => setImmediate(resolve));
    yield number;
  }
}

async function* generatedAtOnce(): AsyncGenerator<number> {
  yield* numbers(1, 20);
}

/** Counts how far it has been read. */
class Counted {
  asked = 0;
  returned = 0;

  *[Symbol.iterator](): Generator<number> {
    try {
      for (;;) yield ++this.asked;
    } finally {
      this.returned++;
    }
  }
}

/** The same, but asynchronous. */
class CountedLater {
  asked = 0;
  returned = 0;

  async *[Symbol.asyncIterator](): AsyncGenerator<number> {
    try {
      for (;;) yield ++this.asked;
    } finally {
      this.returned++;
    }
  }
}

describe("fromIterable", () => {
  it.each([
    ["an array", () => numbers(1, 20)],
    ["a set", () => new Set(numbers(1, 20))],
    ["a generator", generated],
    ["an async generator", generatedAtOnce],
    ["an async generator that takes its time", generatedLater],
  ])("reads %s to its end, and the pipeline ends with it", async (_, iterable) => {
    const { handled, pipeline, clock } = run(iterable());
    const running = await pipeline.start({ clock });
    const report = await running.done;
    expect(handled).toEqual(numbers(1, 20));
    expect(report).toMatchObject({ received: 20, succeeded: 20, released: 0, abandoned: 0 });
  });

  it("ends at once when there is nothing", async () => {
    const { pipeline, clock } = run([]);
    const running = await pipeline.start({ clock });
    expect(await running.done).toMatchObject({ received: 0 });
    expect(running.status).toBe("stopped");
    expect(pipelines()).not.toContain(running);
    expect(clock.timers).toBe(0);
  });

  it("does not read text character by character", () => {
    expect(() => fromIterable("hunter2" as never)).toThrow(
      "fromIterable: 1 mistake\n  iterable: expected an iterable, got text. Put a single one into an array.",
    );
  });

  it("says how many-th an item is", async () => {
    const indices: number[] = [];
    const running = await definePipeline({
      name: "index",
      producer: fromIterable(["a", "b", "c"]),
      processor: { handle: (message) => void indices.push(message.metadata.index) },
    }).start();
    await running.done;
    expect(indices).toEqual([0, 1, 2]);
  });

  it.each([
    ["an iterable", () => new Counted()],
    ["an async iterable", () => new CountedLater()],
  ])("never reads %s further ahead than maxInFlight", async (_, make) => {
    const iterable = make();
    const { pipeline, clock } = run(iterable, { maxInFlight: 5, handle: () => never });
    const running = await pipeline.start({ clock });
    await clock.advance(10_000);
    expect(iterable.asked).toBe(5);
    await stopWithin(clock, running, 0);
  });

  it.each([
    ["an iterable", () => new Counted()],
    ["an async iterable", () => new CountedLater()],
  ])("closes the iterator of %s once when the pipeline stops", async (_, make) => {
    const iterable = make();
    const { pipeline, clock } = run(iterable, { maxInFlight: 5, handle: () => never });
    const running = await pipeline.start({ clock });
    await clock.settle();
    await stopWithin(clock, running, 0);
    expect(iterable.returned).toBe(1);
  });

  it("gives the event loop its turn while it reads what never waits, though the clock stands still", async () => {
    const iterable = new Set(numbers(1, 100_000));
    const { handled, pipeline, clock } = run(iterable);
    const running = await pipeline.start({ clock });
    expect(handled.length).toBeLessThan(iterable.size);
    await running.stop();
    expect(handled.length).toBeLessThan(iterable.size);
  });

  it("survives an iterator that cannot be closed", async () => {
    const iterable = {
      [Symbol.iterator]: () => ({
        next: () => ({ done: false, value: 1 }),
        return() {
          throw new Error("cannot be closed");
        },
      }),
    };
    const { pipeline, clock } = run(iterable, { maxInFlight: 2, handle: () => never });
    const running = await pipeline.start({ clock });
    await clock.settle();
    const { report } = await stopWithin(clock, running, 0);
    expect(report).toMatchObject({ received: 2, abandoned: 2 });
  });

  it("stops although the next item never comes", async () => {
    const { pipeline, clock } = run({
      [Symbol.asyncIterator]: () => ({ next: () => never, return: () => never }),
    });
    const running = await pipeline.start({ clock });
    await clock.settle();
    const { took, report } = await stopWithin(clock, running, 5000);
    expect(took).toBeLessThan(100);
    expect(report.received).toBe(0);
  });

  it("handles what was taken when the pipeline stops, for it cannot be given back", async () => {
    const gate = deferred();
    const { handled, pipeline, clock } = run(generated(), {
      maxInFlight: 5,
      handle: () => gate.promise,
    });
    const running = await pipeline.start({ clock });
    await clock.settle();
    expect(handled).toEqual([1, 2]);
    const stopped = running.stop();
    gate.resolve();
    expect(await stopped).toMatchObject({ received: 5, succeeded: 5 });
    expect(handled).toEqual(numbers(1, 5));
  });

  it.each([
    [
      "a generator",
      function* () {
        yield* numbers(1, 3);
        throw new Error("spoilt");
      },
    ],
    [
      "an async generator",
      async function* () {
        yield* numbers(1, 3);
        throw new Error("spoilt");
      },
    ],
  ])(
    "fails the pipeline when %s throws, after what came before is handled",
    async (_, throwing) => {
      const { handled, pipeline, clock } = run(throwing());
      const running = await pipeline.start({ clock });
      const died = running.done.catch((error: unknown) => error);
      await clock.advance(60_000);
      expect(await died).toMatchObject({
        code: "WESTEND_ERR_PRODUCER",
        message: 'The producer "iterable" failed: spoilt',
        cause: { message: "spoilt" },
      });
      expect(handled).toEqual([1, 2, 3]);
      expect(running.stats()).toMatchObject({ received: 3, succeeded: 3, status: "failed" });
      expect(clock.timers).toBe(0);
    },
  );

  it("rejects start when the iterator cannot be had", async () => {
    const { pipeline, clock } = run({
      [Symbol.iterator]() {
        throw new Error("no iterator");
      },
    });
    const failed = pipeline.start({ clock }).catch((error: unknown) => error);
    await clock.advance(60_000);
    expect(await failed).toMatchObject({
      code: "WESTEND_ERR_PRODUCER",
      cause: { message: "no iterator" },
    });
  });

  it("begins anew with each start of the pipeline", async () => {
    const { handled, pipeline, clock } = run(numbers(1, 3));
    await (
      await pipeline.start({ clock })
    ).done;
    await (
      await pipeline.start({ clock })
    ).done;
    expect(handled).toEqual([1, 2, 3, 1, 2, 3]);
  });

  it("lets two runs of a pipeline read side by side", async () => {
    const { handled, pipeline, clock } = run(numbers(1, 3));
    const runs = await Promise.all([pipeline.start({ clock }), pipeline.start({ clock })]);
    await Promise.all(runs.map(({ done }) => done));
    expect(handled.sort((a, b) => a - b)).toEqual([1, 1, 2, 2, 3, 3]);
  });

  it("goes by its name", () => {
    expect(fromIterable([]).name).toBe("iterable");
    expect(fromIterable([], { name: "lines" }).name).toBe("lines");
  });
});
