import { describe, expect, it } from "vitest";
import { type Batch, type BatcherOptions, memory, type RouteOptions } from "westend";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { deferred } from "../support/deferred.ts";
import { given } from "../support/given-source.ts";
import { LetterBox } from "../support/letter-box.ts";
import { numbers } from "../support/test-source.ts";
import { runTopology, startTopology, type TopologyRun } from "../support/topology-run.ts";

interface Emitted {
  readonly trigger: Batch["trigger"];
  readonly data: unknown[];
  readonly batch: Batch;
}

type Options = Partial<BatcherOptions<unknown, undefined>>;

/** A pipeline that routes every payload to the batcher "b" and goes on for ever, in virtual time. */
async function batching<Data>(
  payloads: readonly Data[],
  options: Options,
  route: (data: Data) => RouteOptions = () => ({}),
): Promise<{ run: TopologyRun; source: ReturnType<typeof memory<Data>>; emitted: Emitted[] }> {
  const source = memory(payloads);
  const emitted: Emitted[] = [];
  const run = await startTopology({
    producer: source as never,
    maxInFlight: 1000,
    processor: {
      concurrency: 1,
      handle: (message) => message.to("b", message.data, route(message.data as Data)),
    },
    batchers: {
      b: {
        timeout: 1000,
        handle: (messages, batch) =>
          void emitted.push({
            trigger: batch.trigger,
            data: messages.map(({ data }) => data),
            batch,
          }),
        ...options,
      },
    },
  });
  await run.clock.settle();
  return { run, source, emitted };
}

const shown = (emitted: readonly Emitted[]): unknown[][] =>
  emitted.map(({ trigger, data }) => [trigger, ...data]);

describe("A batcher", () => {
  it("hands over a batch of `size` messages in order, and the rest after `timeout`", async () => {
    const { run, emitted } = await batching(numbers(1, 5), { size: 2 });
    expect(shown(emitted)).toEqual([
      ["size", 1, 2],
      ["size", 3, 4],
    ]);
    await run.clock.advance(999);
    expect(emitted.length).toBe(2);
    await run.clock.advance(1);
    expect(shown(emitted).at(-1)).toEqual(["timeout", 5]);
  });

  it("does not wait longer because messages keep coming", async () => {
    const { run, source, emitted } = await batching([0], { size: 100 });
    for (const number of numbers(1, 4)) {
      await run.clock.advance(250);
      source.push(number);
    }
    expect(shown(emitted)).toEqual([["timeout", 0, 1, 2, 3]]);
  });

  it("counts `bytes` as the length of strings, or as they were routed", async () => {
    const { emitted } = await batching(["aaa", "bbb", "ccc", "large"], { bytes: 6 }, (data) =>
      data === "large" ? { size: 100 } : {},
    );
    expect(emitted.map(({ data, batch }) => [batch.trigger, batch.bytes, ...data])).toEqual([
      ["bytes", 6, "aaa", "bbb"],
      ["bytes", 3, "ccc"],
      ["bytes", 100, "large"],
    ]);
  });

  it("counts what has no length with the size its source gave", async () => {
    const bytes: number[] = [];
    const source = { name: "sized", open: () => ({ pull: pullOnce(), acknowledge() {} }) };
    function pullOnce(): () => { payload: object; metadata: undefined; size: number }[] | null {
      let pulled = false;
      return () => {
        if (pulled) return null;
        pulled = true;
        return [7, 5].map((size) => ({ payload: {}, metadata: undefined, size }));
      };
    }
    await runTopology({
      producer: source,
      processor: { handle: (message) => message.to("b") },
      batchers: { b: { handle: (_, batch) => void bytes.push(batch.bytes) } },
    });
    expect(bytes).toEqual([12]);
  });

  it("begins each batch with a splitter of its own", async () => {
    const { emitted } = await batching([5, 5, 9, 1, 4], {
      splitBy() {
        let sum = 0;
        return ({ data }) => (sum += data as number) >= 10;
      },
    });
    expect(shown(emitted)).toEqual([
      ["split", 5, 5],
      ["split", 9, 1],
    ]);
  });

  it("emits at once when a message is routed with flush", async () => {
    const { emitted } = await batching([1, 2, 3], {}, (data) => ({ flush: data === 2 }));
    expect(shown(emitted)).toEqual([["flush", 1, 2]]);
  });

  it("keeps messages of different keys in different batches, and tells the handler the key", async () => {
    const { emitted } = await batching([1, 2, 3, 4], { size: 2 }, (data) => ({ key: data % 2 }));
    expect(emitted.map(({ batch, data }) => [batch.key, ...data])).toEqual([
      [1, 1, 3],
      [0, 2, 4],
    ]);
  });

  it("tells the handler everything about the batch", async () => {
    const { emitted } = await batching(["x"], { size: 1, partitionBy: () => "p" }, () => ({
      key: "k",
    }));
    expect(emitted[0]?.batch).toEqual({
      batcher: "b",
      key: "k",
      partition: "p",
      size: 1,
      bytes: 1,
      trigger: "size",
      attempt: 1,
    });
  });

  it("never calls its handler without messages", async () => {
    const { run, emitted } = await batching([1, 2], { size: 2 });
    await run.clock.advance(10_000);
    await Promise.all([run.topology.stop(1000), run.clock.advance(2000)]);
    expect(shown(emitted)).toEqual([["size", 1, 2]]);
  });

  it.each([NaN, Infinity, -1])("dead-letters a message of weight %d alone", async (weight) => {
    const letters = new LetterBox<number>();
    const sizes: number[] = [];
    const report = await runTopology({
      producer: given([1, 2, 3]),
      deadLetter: letters,
      processor: { handle: (message) => message.to("b") },
      batchers: {
        b: {
          weight: ({ data }) => (data === 2 ? weight : 1),
          handle: (messages) => void sizes.push(messages.length),
        },
      },
    });
    expect(report).toMatchObject({ succeeded: 2, deadLettered: 1 });
    expect(letters.letters).toMatchObject([
      { payload: 2, batcher: "b", reason: { code: "WESTEND_ERR_HANDLER_RESULT" } },
    ]);
    expect(sizes).toEqual([2]);
  });
});

describe("Batchers at the end", () => {
  it("emit what they hold at once when the source has ended", async () => {
    const emitted: unknown[] = [];
    const run = await startTopology({
      producer: given(numbers(1, 5)),
      processor: { handle: (message) => message.to(message.data < 3 ? "a" : "b") },
      batchers: Object.fromEntries(
        ["a", "b"].map((name) => [
          name,
          {
            size: 100,
            timeout: 3_600_000,
            handle: (messages, { trigger }) => void emitted.push([name, trigger, messages.length]),
          } satisfies BatcherOptions<unknown, undefined>,
        ]),
      ),
    });
    expect(await run.end()).toMatchObject({ succeeded: 5 });
    expect(run.clock.now()).toBe(0);
    expect(emitted).toEqual([
      ["a", "flush", 2],
      ["b", "flush", 3],
    ]);
  });

  it("emit what they hold at once when the pipeline is stopped", async () => {
    const { run, emitted } = await batching([1, 2], { size: 100, timeout: 3_600_000 });
    void run.topology.stop(1000);
    await run.clock.settle();
    expect(shown(emitted)).toEqual([["flush", 1, 2]]);
  });
});

describe("Batches that hold the thread for 3 ms each", () => {
  /** Twenty, flushed at once by a stop with so much time. */
  async function stopped(timeout: number) {
    const virtual = virtualClock();
    let worked = 0;
    const run = await startTopology(
      {
        producer: memory(numbers(1, 20)) as never,
        processor: { handle: (message) => message.to("b", 0, { key: message.data as number }) },
        batchers: { b: { timeout: 3_600_000, handle: () => void (worked += 3) } },
      },
      { clock: { ...virtual, now: () => virtual.now() + worked } },
    );
    await virtual.settle();
    const ended = run.topology.stop(timeout);
    const atOnce = run.topology.stats().succeeded;
    await virtual.advance(timeout + 500);
    return { atOnce, ...(await ended) };
  }

  it("give the event loop its turn between them, and end in a drain all the same", async () => {
    expect(await stopped(1000)).toMatchObject({ atOnce: 2, succeeded: 20 });
  });

  it("are given up at the deadline of a drain like others", async () => {
    const { succeeded, abandoned } = await stopped(0);
    expect(abandoned).toBeGreaterThan(0);
    expect(succeeded + abandoned).toBe(20);
  });
});

describe("Several batchers", () => {
  it("fill, run and end on their own", async () => {
    const gate = deferred();
    const done: string[] = [];
    const run = await startTopology({
      producer: given(numbers(1, 10)),
      processor: { handle: (message) => message.to(message.data % 2 === 0 ? "slow" : "fast") },
      batchers: {
        slow: { size: 5, handle: () => gate.promise.then(() => void done.push("slow")) },
        fast: { size: 5, handle: () => void done.push("fast") },
      },
    });
    await run.clock.settle();
    expect(done).toEqual(["fast"]);
    expect(run.topology.stats()).toMatchObject({ succeeded: 5, inFlight: 5 });
    gate.resolve();
    expect(await run.end()).toMatchObject({ succeeded: 10 });
  });
});
