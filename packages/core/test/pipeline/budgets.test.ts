import { describe, expect, it } from "vitest";
import { constant, memory, retry } from "westend";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { deferred, never } from "../support/deferred.ts";
import { given } from "../support/given-source.ts";
import { sleep } from "../support/sleep.ts";
import { numbers, TestSource } from "../support/test-source.ts";
import { type LooseOptions, runTopology, startTopology } from "../support/topology-run.ts";

const HOUR = 3_600_000;

/** A batcher whose batches never succeed and are never given up. */
const held = {
  retry: retry({ attempts: 1, whenExhausted: "hold", backoff: constant(HOUR) }),
  handle() {
    throw new Error("down");
  },
};

describe("maxInFlight and maxBytes over open batches", () => {
  it("takes no more than maxInFlight while batches are open", async () => {
    const source = memory(numbers(1, 100));
    const { clock, topology } = await startTopology({
      producer: source as never,
      maxInFlight: 10,
      processor: { handle: (message) => message.to("b") },
      batchers: { b: { size: 100, timeout: HOUR, handle: () => never } },
    });
    await clock.settle();
    expect(source.taken).toBe(10);
    expect(topology.stats().inFlight).toBe(10);
  });

  it.each([
    ["at once", () => {}],
    ["later", async () => {}],
  ])(
    "flushes the oldest open batch when open batches alone use maxInFlight up: 20,000 unique keys, an hour's timeout, handlers that end %s",
    { timeout: 60_000 },
    async (_, handle) => {
      const source = given(numbers(1, 20_000));
      const { clock, end } = await startTopology({
        producer: source,
        maxInFlight: 100,
        processor: { handle: (message) => message.to("b", message.data, { key: message.data }) },
        batchers: { b: { size: 100, timeout: HOUR, handle } },
      });
      const report = await end();
      expect(report).toMatchObject({ received: 20_000, succeeded: 20_000 });
      expect(clock.now()).toBe(0);
    },
  );

  it("flushes the one that was opened first, not the others", async () => {
    const batches: unknown[][] = [];
    const { clock, topology } = await startTopology({
      producer: memory([1, 2, 1, 3, 4]) as never,
      maxInFlight: 4,
      processor: {
        concurrency: 1,
        handle: (message) => message.to("b", message.data, { key: message.data as number }),
      },
      batchers: {
        b: {
          size: 9,
          timeout: HOUR,
          handle: (messages, { trigger }) =>
            void batches.push([trigger, ...messages.map(({ data }) => data)]),
        },
      },
    });
    await clock.settle();
    expect(batches).toEqual([["flush", 1, 1]]);
    expect(topology.stats().inFlight).toBe(3);
  });

  it("flushes when maxBytes is used up by open batches, though not to the last byte", async () => {
    const source = given(numbers(1, 100).map((number) => `${number}`.padStart(30, "0")));
    const { clock, end } = await startTopology({
      producer: source,
      maxBytes: 100,
      processor: { handle: (message) => message.to("b", message.data, { key: message.data }) },
      batchers: { b: { size: 9, timeout: HOUR, handle() {} } },
    });
    const report = await end();
    expect(report.succeeded).toBe(100);
    expect(clock.now()).toBe(0);
  });

  it("flushes when one source has used its share up while the other has nothing to give", async () => {
    const source = given(numbers(1, 50));
    const { clock, topology } = await startTopology({
      producers: { busy: source, idle: memory() },
      maxInFlight: 10,
      processor: { handle: (message: any) => message.to("b", message.data, { key: message.data }) },
      batchers: { b: { size: 9, timeout: HOUR, handle() {} } },
    } as never);
    await clock.settle();
    expect(topology.stats().succeeded).toBeGreaterThan(40);
  });

  it("does not flush open batches while acknowledgements on their way are to make room", async () => {
    const taken = deferred();
    const source = new TestSource(numbers(1, 6), {
      acknowledge: (usual) => taken.promise.then(usual),
    });
    const { clock, topology } = await startTopology({
      producer: source as never,
      maxInFlight: 4,
      processor: {
        concurrency: 1,
        handle: (message) => ((message.data as number) > 2 ? message.to("b") : undefined),
      },
      batchers: { b: { size: 9, timeout: HOUR, handle() {} } },
    });
    await clock.settle();
    expect(topology.stats()).toMatchObject({
      inFlight: 4,
      batchers: { b: { open: 2, batches: 0 } },
    });
    taken.resolve();
    await clock.settle();
    expect(topology.stats().received).toBe(6);
  });

  it("flushes the oldest open batch while a handler hangs", async () => {
    const { clock, topology } = await startTopology({
      producer: given(numbers(1, 2000)),
      maxInFlight: 20,
      processor: {
        concurrency: 10,
        handle: (message) => (message.data === 500 ? never : message.to("b")),
      },
      batchers: { b: { size: 20, timeout: HOUR, handle() {} } },
    });
    await clock.advance(60_000);
    expect(topology.stats().succeeded).toBeGreaterThanOrEqual(1980);
  });

  it("flushes the oldest open batch while another batcher holds one, with another behind it", async () => {
    const { clock, topology } = await startTopology({
      producer: given(numbers(1, 2000)),
      maxInFlight: 20,
      processor: { handle: (message) => message.to(message.data < 3 ? "held" : "b") },
      batchers: {
        held: { ...held, size: 1, partitionBy: () => "same" },
        b: { size: 100, timeout: HOUR, handle() {} },
      },
    });
    await clock.settle();
    expect(topology.stats()).toMatchObject({
      received: 2000,
      batchers: { held: { queued: 1, waiting: 1 } },
    });
  });

  it("flushes the next one if the oldest has to wait behind a batch that is held", async () => {
    const { clock, topology } = await startTopology({
      producer: given(numbers(1, 100)),
      maxInFlight: 10,
      processor: {
        concurrency: 1,
        handle: (message) => {
          const key = Math.min(message.data, 4);
          return message.to("b", message.data, { key, flush: message.data === 1 });
        },
      },
      batchers: {
        b: {
          ...held,
          size: 100,
          timeout: HOUR,
          partitionBy: ({ data }) => ((data as number) < 4 ? "held" : "free"),
          handle(messages) {
            if (messages[0]?.data === 1) throw new Error("held");
          },
        },
      },
    });
    await clock.settle();
    const { succeeded, batchers } = topology.stats();
    expect(batchers["b"]).toMatchObject({ waiting: 1, queued: 2 });
    expect(succeeded).toBeGreaterThan(90);
  });

  it.each([
    ["ten handlers that soon end, and a budget that one batch uses up", 100, 10, 0],
    ["ten handlers that take seconds, and the usual budget", undefined, 3000, 0],
    ["ten handlers that soon end, a slow sink, and the usual budget", undefined, 10, 5000],
  ])("leaves batches to fill: %s", async (_, maxInFlight, handling, writing) => {
    const clock = virtualClock();
    const options: LooseOptions<number> = {
      producer: given(numbers(1, 2000)),
      ...(maxInFlight && { maxInFlight }),
      processor: {
        concurrency: 10,
        handle: async (message) => {
          await sleep(clock, (handling * (1 + ((message.data * 7) % 10))) / 2);
          return message.to("b");
        },
      },
      batchers: { b: { size: 100, timeout: HOUR, handle: () => sleep(clock, writing) } },
    };
    const { topology, end } = await startTopology(options, { clock });
    await end();
    expect(topology.stats().batchers["b"]?.triggers).toMatchObject({ size: 20, flush: 0 });
  });

  it("does not flush open batches while there is room", async () => {
    const { clock, topology } = await startTopology({
      producer: memory([1, 2, 3]) as never,
      maxInFlight: 10,
      processor: {
        handle: (message) => message.to("b", message.data, { key: message.data as number }),
      },
      batchers: { b: { size: 9, timeout: HOUR, handle() {} } },
    });
    await clock.settle();
    expect(topology.stats().batchers["b"]).toMatchObject({ open: 3, batches: 0 });
  });
});

describe("A stuck batcher", () => {
  it("does not stop another until the budget is used up, and then no more is taken", async () => {
    const source = memory(numbers(1, 100));
    const { clock, topology } = await startTopology({
      producer: source as never,
      maxInFlight: 20,
      processor: {
        concurrency: 1,
        handle: (message) => message.to((message.data as number) % 2 === 0 ? "stuck" : "fine"),
      },
      batchers: {
        stuck: { size: 1, timeout: HOUR, handle: () => never },
        fine: { size: 1, timeout: HOUR, handle() {} },
      },
    });
    await clock.settle();
    const { batchers, inFlight, succeeded } = topology.stats();
    expect(inFlight).toBe(20);
    expect(succeeded).toBeGreaterThanOrEqual(19);
    expect(batchers["stuck"]).toMatchObject({ running: 1, queued: 19 });
    expect(batchers["fine"]).toMatchObject({ running: 0, queued: 0, open: 0 });
  });

  it("frees what it held when it goes on", async () => {
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const { clock, end } = await startTopology({
      producer: given(numbers(1, 100)),
      maxInFlight: 20,
      processor: { handle: (message) => message.to("b") },
      batchers: { b: { size: 5, timeout: HOUR, handle: () => gate } },
    });
    await clock.settle();
    open();
    expect((await end()).succeeded).toBe(100);
  });
});

describe("The budget", () => {
  it("is never exceeded, however batches fill, fail and end", async () => {
    let most = 0;
    let calls = 0;
    const run = await startTopology({
      producer: given(numbers(1, 500), 7),
      maxInFlight: 16,
      processor: { handle: (message) => message.to("b", message.data, { key: message.data % 5 }) },
      batchers: {
        b: {
          size: 4,
          timeout: 50,
          concurrency: 2,
          async handle() {
            most = Math.max(most, run.topology.stats().inFlight);
            if (++calls % 3 === 0) throw new Error("no");
          },
        },
      },
    });
    const report = await run.end();
    expect(report.succeeded + report.failed).toBe(500);
    expect(most).toBeLessThanOrEqual(16);
    expect(run.topology.stats()).toMatchObject({ inFlight: 0, bytes: 0 });
  });

  it("is all free again when a pipeline has ended", async () => {
    const report = await runTopology({
      producer: given(numbers(1, 1000)),
      processor: { handle: (message) => [message.to("a"), message.to("b")] },
      batchers: { a: { handle() {} }, b: { async handle() {} } },
    });
    expect(report).toMatchObject({ received: 1000, succeeded: 1000 });
  });
});
