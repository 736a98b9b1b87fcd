import { describe, expect, it } from "vitest";
import { type BatcherOptions, constant, HandlerTimeoutError, type Message, retry } from "westend";
import { never } from "../support/deferred.ts";
import { type GivenSource, given } from "../support/given-source.ts";
import { LetterBox } from "../support/letter-box.ts";
import { numbers } from "../support/test-source.ts";
import { startTopology, type TopologyRun } from "../support/topology-run.ts";

type Handle = BatcherOptions<unknown, undefined>["handle"];

interface Scene {
  readonly run: TopologyRun;
  readonly source: GivenSource<number>;
  readonly box: LetterBox<number>;
  /** What each call of the handler was given. */
  readonly calls: number[][];
}

/** Sends the payloads through one batcher in one batch, unless the options say otherwise. */
async function batch(
  payloads: readonly number[],
  handle: Handle,
  options: Partial<BatcherOptions<unknown, undefined>> = {},
): Promise<Scene> {
  const source = given(payloads);
  const box = new LetterBox<number>();
  const calls: number[][] = [];
  const run = await startTopology({
    producer: source,
    deadLetter: box,
    processor: { concurrency: 1, handle: (message) => message.to("b") },
    batchers: {
      b: {
        size: payloads.length,
        ...options,
        handle(messages, info, signal) {
          calls.push(messages.map(({ data }) => data as number));
          return handle(messages, info, signal);
        },
      },
    },
  });
  return { run, source, box, calls };
}

const poisoned = (messages: readonly Message<unknown, undefined>[], poison: number): void => {
  if (messages.some(({ data }) => data === poison)) throw new Error("poisoned");
};

describe("A batch whose handler throws", () => {
  it("is dead-lettered at once without a policy, every message with what was thrown", async () => {
    const thrown = new Error("broken");
    const { run, box, source } = await batch([1, 2], () => Promise.reject(thrown));
    expect(await run.end()).toMatchObject({ deadLettered: 2 });
    expect(box.letters.map(({ payload, reason, attempts }) => [payload, reason, attempts])).toEqual(
      [
        [1, thrown, 1],
        [2, thrown, 1],
      ],
    );
    expect(source.payloads("deadLettered")).toEqual([1, 2]);
  });

  it("is tried again as a whole, so often and after such waits as its policy says", async () => {
    const attempts: number[] = [];
    const { run, calls } = await batch(
      [1, 2, 3],
      (_, { attempt }) => {
        attempts.push(attempt);
        if (attempt < 3) throw new Error("again");
      },
      { retry: retry({ attempts: 3, backoff: constant(500) }) },
    );
    expect(await run.end()).toMatchObject({ succeeded: 3 });
    expect(attempts).toEqual([1, 2, 3]);
    expect(calls).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(run.clock.now()).toBe(1000);
    expect(run.topology.stats().batchers["b"]).toMatchObject({ batches: 1, retries: 2 });
  });

  it("is not acknowledged while it waits for its next attempt", async () => {
    const { run, source } = await batch(
      [1],
      (_, { attempt }) => {
        if (attempt === 1) throw new Error("again");
      },
      { retry: retry({ attempts: 2, backoff: constant(1000) }) },
    );
    await run.clock.advance(999);
    expect(source.told).toEqual([]);
    expect(run.topology.stats().batchers["b"]).toMatchObject({ waiting: 1 });
    await run.end();
    expect(source.payloads("succeeded")).toEqual([1]);
  });

  it("is dropped if its policy says so for that error", async () => {
    const { run, box } = await batch([1, 2], () => Promise.reject(new Error("stale")), {
      retry: retry({ attempts: 9, when: () => "drop" }),
    });
    expect(await run.end()).toMatchObject({ dropped: 2, deadLettered: 0 });
    expect(box.letters).toEqual([]);
  });
});

describe("A batch handler that decides about single messages", () => {
  it("dead-letters what it fails and succeeds the rest", async () => {
    const { run, box, source } = await batch([1, 2, 3], (messages) => messages[1]?.fail("bad"));
    expect(await run.end()).toMatchObject({ succeeded: 2, deadLettered: 1 });
    expect(box.letters).toMatchObject([{ payload: 2, reason: "bad", batcher: "b" }]);
    expect(source.payloads("succeeded")).toEqual([1, 3]);
  });

  it("tries again only what it fails", async () => {
    const { run, calls } = await batch(
      [1, 2, 3],
      (messages, { attempt }) => (attempt === 1 ? messages[1]?.fail("once") : undefined),
      { retry: retry({ attempts: 2, backoff: constant(10) }) },
    );
    expect(await run.end()).toMatchObject({ succeeded: 3 });
    expect(calls).toEqual([[1, 2, 3], [2]]);
  });

  it("counts what it drops, and acknowledges it as done", async () => {
    const { run, source } = await batch([1, 2], (messages) => messages[0]?.drop("not wanted"));
    expect(await run.end()).toMatchObject({ succeeded: 1, dropped: 1 });
    expect(source.told).toMatchObject([
      { payload: 1, outcome: "dropped", reason: "not wanted" },
      { payload: 2, outcome: "succeeded" },
    ]);
  });
});

describe("A batcher with bisect", () => {
  it("dead-letters the one poison message of 100 and succeeds the others, in at most 15 calls", async () => {
    const { run, box, calls } = await batch(numbers(1, 100), (all) => poisoned(all, 42), {
      bisect: true,
    });
    expect(await run.end()).toMatchObject({ succeeded: 99, deadLettered: 1 });
    expect(box.payloads).toEqual([42]);
    expect(calls.length).toBeLessThanOrEqual(15);
  });

  it("drops the poison message alone if `when` says drop", async () => {
    const { run } = await batch(numbers(1, 100), (all) => poisoned(all, 42), {
      bisect: true,
      retry: retry({ attempts: 9, when: () => "drop" }),
    });
    expect(await run.end()).toMatchObject({ succeeded: 99, dropped: 1 });
  });

  it("holds the poison message alone: the others are acknowledged, it is tried until it gets through", async () => {
    let down = true;
    const { run, source } = await batch(
      numbers(1, 100),
      (all) => (down ? poisoned(all, 42) : undefined),
      {
        bisect: true,
        retry: retry({ attempts: 1, backoff: constant(100), whenExhausted: "hold" }),
      },
    );
    await run.clock.advance(10_000);
    expect(source.payloads("succeeded").length).toBe(99);
    expect(source.payloads("succeeded")).not.toContain(42);
    down = false;
    expect(await run.end()).toMatchObject({ succeeded: 100 });
  });

  it("keeps order within each partition", async () => {
    const order: number[] = [];
    const { run } = await batch(
      numbers(1, 100),
      (messages) => {
        poisoned(messages, 42);
        order.push(...messages.map(({ data }) => data as number));
      },
      { bisect: true, concurrency: 4, size: 50, partitionBy: ({ data }) => (data as number) % 4 },
    );
    await run.end();
    for (const rest of [0, 1, 2, 3]) {
      const expected = numbers(1, 100).filter((number) => number % 4 === rest && number !== 42);
      expect(order.filter((number) => number % 4 === rest)).toEqual(expected);
    }
  });
});

describe("A batcher with handleTimeout", () => {
  it("aborts the handler's signal, and fails the batch", async () => {
    const signals: AbortSignal[] = [];
    const { run, box } = await batch(
      [1],
      (_, __, signal) => {
        signals.push(signal);
        return never;
      },
      { handleTimeout: 500 },
    );
    expect(await run.end()).toMatchObject({ deadLettered: 1 });
    expect(run.clock.now()).toBe(500);
    expect(signals[0]?.reason).toBeInstanceOf(HandlerTimeoutError);
    expect(box.letters[0]?.reason).toBe(signals[0]?.reason);
  });

  it("ignores what a late handler still says, and takes the next attempt's word", async () => {
    const { run, source } = await batch(
      [1, 2],
      async (messages, { attempt }) => {
        if (attempt > 1) return;
        await new Promise<void>((resolve) => run.clock.setTimer(resolve, 550));
        for (const message of messages) message.fail("late");
        throw new Error("late");
      },
      { handleTimeout: 500, retry: retry({ attempts: 2, backoff: constant(40) }) },
    );
    expect(await run.end()).toMatchObject({ succeeded: 2, deadLettered: 0 });
    await run.clock.advance(1000);
    expect(source.payloads("succeeded")).toEqual([1, 2]);
    expect(run.topology.violations).toBe(0);
  });
});
