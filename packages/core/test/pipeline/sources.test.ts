import { describe, expect, it } from "vitest";
import { deferred, never } from "../support/deferred.ts";
import { startScene } from "../support/scene.ts";
import { stopWithin } from "../support/stopping.ts";
import { ascending, numbers, TestSource } from "../support/test-source.ts";

describe("several producers", () => {
  it("feed the same processors, each told of its own messages", async () => {
    const handled: [string, number][] = [];
    const a = new TestSource(numbers(1, 5), { name: "a" });
    const b = new TestSource(numbers(6, 10), { name: "b" });
    const { clock, running } = await startScene(
      {
        producer: undefined,
        producers: { first: a, second: b },
        processor: { handle: (message: any) => void handled.push([message.source, message.data]) },
      },
      a,
    );
    expect(handled.filter(([source]) => source === "first").map(([, data]) => data)).toEqual(
      numbers(1, 5),
    );
    expect(handled.filter(([source]) => source === "second").map(([, data]) => data)).toEqual(
      numbers(6, 10),
    );
    expect(a.acknowledged).toEqual(numbers(1, 5));
    expect(b.acknowledged).toEqual(numbers(6, 10));
    await stopWithin(clock, running, 0);
  });

  it("share the budget by weight, so that none starves another", async () => {
    const a = new TestSource(numbers(1, 100), { name: "a" });
    const b = new TestSource(numbers(1, 100), { name: "b" });
    const { clock, running } = await startScene(
      {
        producer: undefined,
        producers: { a: { producer: a, weight: 3 }, b: { producer: b, weight: 1 } },
        processor: { handle: () => never },
        maxInFlight: 20,
      },
      a,
    );
    expect(a.taken).toHaveLength(15);
    expect(b.taken).toHaveLength(5);
    await stopWithin(clock, running, 0);
  });

  it("do not wait for one whose messages are stuck", async () => {
    const stuck = new TestSource(numbers(1, 100), { name: "stuck" });
    const good = new TestSource(numbers(101, 300), { name: "good" });
    const { clock, running } = await startScene(
      {
        producer: undefined,
        producers: { stuck, good },
        processor: {
          concurrency: 30,
          handle: (message: any) => (message.source === "stuck" ? never : undefined),
        },
        maxInFlight: 20,
      },
      good,
    );
    expect(good.acknowledged).toEqual(numbers(101, 300));
    expect(stuck.taken).toHaveLength(10);
    await stopWithin(clock, running, 0);
  });

  it("have their part of a limit that was lowered while another's pull waits", async () => {
    const waiting = new TestSource([], { name: "waiting", pull: () => never });
    const good = new TestSource([], { name: "good" });
    const { clock, running } = await startScene(
      { producer: undefined, producers: { waiting, good }, maxInFlight: 20 },
      good,
    );
    expect(waiting.demands).toEqual([10]);
    running.update({ maxInFlight: 10 });
    good.push(...numbers(1, 100));
    await clock.settle();
    expect(good.acknowledged).toEqual(numbers(1, 100));
    await stopWithin(clock, running, 0);
  });

  it("end the pipeline only together", async () => {
    const short = new TestSource([1], { name: "short" }, true);
    const long = new TestSource([], { name: "long" });
    const { running } = await startScene({ producer: undefined, producers: { short, long } }, long);
    expect(short.acknowledged).toEqual([1]);
    expect(running.status).toBe("running");
    long.push(2);
    long.ended = true;
    long.wake();
    expect(await running.done).toMatchObject({ received: 2, succeeded: 2 });
  });
});

describe("concurrency of a producer", () => {
  it("opens so many sessions, which share its messages and are each told of their own", async () => {
    const source = new TestSource(numbers(1, 30), {});
    const { clock, running } = await startScene(
      { producer: { producer: source, concurrency: 3 }, maxInFlight: 9 },
      source,
    );
    expect(source.contexts.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(ascending(source.acknowledged)).toEqual(numbers(1, 30));
    expect(running.stats().producers["test"]).toMatchObject({ open: 3, received: 30 });
    expect(running.topology().producers).toEqual([{ name: "test", concurrency: 3 }]);
    await stopWithin(clock, running, 0);
  });

  it("keeps all of them together within the budget", async () => {
    const source = new TestSource(numbers(1, 100), {});
    const { clock, running } = await startScene(
      {
        producer: { producer: source, concurrency: 3 },
        processor: { handle: () => never },
        maxInFlight: 10,
      },
      source,
    );
    expect(source.taken.length).toBeLessThanOrEqual(10);
    expect(source.taken.length).toBeGreaterThanOrEqual(9);
    await stopWithin(clock, running, 0);
  });
});

describe("revoke", () => {
  const even = ({ payload }: any): boolean => payload % 2 === 0;

  it("takes back what was not started, without a release, and leaves the rest alone", async () => {
    const gates = new Map(numbers(1, 10).map((number) => [number, deferred()]));
    const started: number[] = [];
    const { clock, source, running } = await startScene(
      {
        processor: {
          concurrency: 2,
          handle(message: any) {
            started.push(message.data);
            return gates.get(message.data)?.promise;
          },
        },
      },
      new TestSource(numbers(1, 10)),
    );
    let revoked = false;
    void source.contexts[0]?.revoke(even).then(() => (revoked = true));
    await clock.settle();
    expect(revoked).toBe(false);
    for (const { resolve } of gates.values()) resolve();
    await clock.settle();
    expect(revoked).toBe(true);
    expect(started).toEqual([1, 2, 3, 5, 7, 9]);
    expect(ascending(source.acknowledged)).toEqual([1, 2, 3, 5, 7, 9]);
    expect(source.released).toEqual([]);
    expect(running.stats()).toMatchObject({ received: 10, succeeded: 6, released: 4, inFlight: 0 });
    await stopWithin(clock, running, 0);
    expect(clock.timers).toBe(0);
  });

  it("resolves after its timeout, and ignores what ends later", async () => {
    const gate = deferred();
    const signals: AbortSignal[] = [];
    const { clock, source, running } = await startScene(
      {
        processor: {
          concurrency: 1,
          handle(message: any, signal: AbortSignal) {
            signals.push(signal);
            return message.data === 2 ? gate.promise : undefined;
          },
        },
      },
      new TestSource([2, 3]),
    );
    let revoked = false;
    void source.contexts[0]?.revoke(even, 500).then(() => (revoked = true));
    await clock.advance(499);
    expect(revoked).toBe(false);
    await clock.advance(1);
    expect(revoked).toBe(true);
    expect(signals[0]?.reason).toMatchObject({ code: "WESTEND_ERR_STOPPED" });
    gate.resolve();
    await clock.settle();
    expect(source.acknowledged).toEqual([3]);
    expect(running.stats()).toMatchObject({ succeeded: 1, abandoned: 1, inFlight: 0 });
    await stopWithin(clock, running, 0);
  });

  it("waits until what ended has been acknowledged", async () => {
    const gate = deferred();
    const { clock, source, running } = await startScene(
      {},
      new TestSource([2], { acknowledge: (usual) => gate.promise.then(usual) }),
    );
    const handled = source.contexts[0]?.revoke(even, 5000);
    expect(await Promise.race([handled, clock.settle().then(() => "waiting")])).toBeUndefined();
    gate.resolve();
    await stopWithin(clock, running, 100);
  });

  it("waits for a handler whose message was acknowledged before its end", async () => {
    const gate = deferred();
    const { clock, source, running } = await startScene(
      {
        processor: {
          async handle(message: any) {
            await message.ackNow();
            await gate.promise;
          },
        },
      },
      new TestSource([2]),
    );
    let revoked = false;
    void source.contexts[0]?.revoke(even, 5000).then(() => (revoked = true));
    await clock.settle();
    expect(revoked).toBe(false);
    gate.resolve();
    await clock.settle();
    expect(revoked).toBe(true);
    expect(running.stats()).toMatchObject({ succeeded: 1, abandoned: 0 });
    await stopWithin(clock, running, 0);
  });

  it("flushes the open batches that hold some of them", async () => {
    const { clock, source, running } = await startScene(
      {
        processor: { handle: (message: any) => message.to("sink") },
        batchers: { sink: { size: 100, timeout: 60_000, handle() {} } },
      },
      new TestSource([1, 2, 3]),
    );
    await source.contexts[0]?.revoke(even, 5000);
    expect(source.acknowledged).toEqual([1, 2, 3]);
    await stopWithin(clock, running, 0);
  });

  it("does not outlive the pipeline", async () => {
    const { clock, source, running } = await startScene(
      { processor: { handle: () => never } },
      new TestSource([2]),
    );
    let revoked = false;
    void source.contexts[0]?.revoke(even, 60_000).then(() => (revoked = true));
    await stopWithin(clock, running, 100);
    await clock.settle();
    expect(revoked).toBe(true);
    expect(clock.timers).toBe(0);
  });
});
