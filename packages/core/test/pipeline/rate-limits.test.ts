import { describe, expect, it } from "vitest";
import { deferred, never } from "../support/deferred.ts";
import { startScene } from "../support/scene.ts";
import { sleep } from "../support/sleep.ts";
import { stopWithin } from "../support/stopping.ts";
import { numbers, type TestIncoming, TestSource } from "../support/test-source.ts";

const many = (name: string): TestSource => new TestSource(numbers(1, 500), { name });
/** More than was asked for. */
const incoming = (count: number): TestIncoming[] =>
  numbers(1, count).map((payload) => ({ payload, metadata: { index: payload } }));

describe("rateLimit", () => {
  it("lets so many messages come in an interval, spread over it", async () => {
    const { clock, source, running } = await startScene(
      { rateLimit: { messages: 10, interval: 1000 } },
      many("a"),
    );
    expect(source.acknowledged).toHaveLength(10);
    await clock.advance(500);
    expect(source.acknowledged).toHaveLength(15);
    await clock.advance(9500);
    expect(source.acknowledged).toHaveLength(110);
    await stopWithin(clock, running, 0);
    expect(clock.timers).toBe(0);
  });

  it("lets as many come at once as burst says after a quiet time", async () => {
    const { clock, source, running } = await startScene(
      { rateLimit: { messages: 10, interval: 1000, burst: 3 } },
      many("a"),
    );
    expect(source.acknowledged).toHaveLength(3);
    await clock.advance(1000);
    expect(source.acknowledged).toHaveLength(13);
    await stopWithin(clock, running, 0);
  });

  it("counts all sources together", async () => {
    const a = many("a");
    const b = many("b");
    const { clock, running } = await startScene(
      {
        producer: undefined,
        producers: { a, b },
        rateLimit: { messages: 10, interval: 1000 },
      },
      a,
    );
    await clock.advance(3000);
    expect(a.acknowledged.length + b.acknowledged.length).toBe(40);
    expect(Math.min(a.acknowledged.length, b.acknowledged.length)).toBeGreaterThanOrEqual(10);
    await stopWithin(clock, running, 0);
  });

  it.each([
    { rateLimit: { messages: 1, interval: 100 }, weight: 1 },
    { rateLimit: { messages: 10, interval: 1000 }, weight: 100 },
  ])(
    "is all for the others while the pull of a source waits: $rateLimit.messages at once",
    async ({ rateLimit, weight }) => {
      const waiting = new TestSource([], { name: "waiting", pull: () => never });
      const busy = many("busy");
      const { clock, running } = await startScene(
        {
          producer: undefined,
          producers: { waiting: { producer: waiting, weight }, busy },
          rateLimit,
        },
        busy,
      );
      await clock.advance(10_000);
      expect(busy.acknowledged).toHaveLength(rateLimit.messages + 100);
      await stopWithin(clock, running, 0);
    },
  );

  it("of one source is all for its other sessions while the pull of one waits", async () => {
    const source = new TestSource(numbers(1, 500), {
      pull: (usual, _demand, _signal, session) => (session === 0 ? never : usual()),
    });
    const { clock, running } = await startScene(
      {
        producer: {
          producer: source,
          concurrency: 2,
          rateLimit: { messages: 1, interval: 100 },
        },
      },
      source,
    );
    await clock.advance(10_000);
    expect(source.acknowledged).toHaveLength(101);
    await stopWithin(clock, running, 0);
  });

  it("is not used up by a source whose pull hangs", async () => {
    const stuck = new TestSource([], { name: "stuck", pull: () => never });
    const good = many("good");
    const { clock, running } = await startScene(
      {
        producer: undefined,
        producers: { stuck, good },
        rateLimit: { messages: 10, interval: 1000 },
      },
      good,
    );
    await clock.advance(10_000);
    expect(good.acknowledged.length).toBeGreaterThan(50);
    await stopWithin(clock, running, 0);
  });

  it("counts messages when they come: those a long pull brings do not come on top of a full bucket", async () => {
    const gates = [deferred(), deferred()];
    let pulls = 0;
    const source = new TestSource(numbers(1, 100), {
      pull: (usual) => {
        const gate = gates[pulls++];
        return gate === undefined ? usual() : gate.promise.then(usual);
      },
    });
    const { clock, running } = await startScene(
      { rateLimit: { messages: 10, interval: 1000 } },
      source,
    );
    await clock.advance(60_000);
    gates[1]?.resolve();
    gates[0]?.resolve();
    await clock.settle();
    expect(source.acknowledged).toHaveLength(10);
    await stopWithin(clock, running, 0);
  });

  it("holds what several pulls bring at once, until a stop gives it back", async () => {
    const gate = deferred();
    const [a, b] = ["a", "b"].map(
      (name) => new TestSource(numbers(1, 5), { name, pull: (usual) => gate.promise.then(usual) }),
    ) as [TestSource, TestSource];
    const { clock, running } = await startScene(
      {
        producer: undefined,
        producers: { a: { producer: a, weight: 3 }, b },
        rateLimit: { messages: 4, interval: 1000 },
      },
      a,
    );
    expect([...a.demands, ...b.demands]).toEqual([3, 1]);
    await running.push([1, 2]);
    gate.resolve();
    await clock.settle();
    expect(running.stats().succeeded).toBe(4);
    await clock.advance(250);
    expect(running.stats().succeeded).toBe(5);
    await clock.advance(250);
    const { took, report } = await stopWithin(clock, running, 60_000);
    expect(took).toBeLessThan(100);
    expect(report).toMatchObject({ succeeded: 6, abandoned: 0 });
    expect(a.taken.concat(b.taken)).toEqual([]);
  });

  it("abandons at the deadline what it holds and nobody takes back", async () => {
    const source = new TestSource([], { releases: false, pull: () => incoming(6) });
    const { clock, running } = await startScene(
      { rateLimit: { messages: 2, interval: 3_600_000 } },
      source,
    );
    const { report } = await stopWithin(clock, running, 1000);
    expect(report).toMatchObject({ received: 6, succeeded: 2, abandoned: 4 });
  });

  it("holds what a source gave beyond its demand without taking the room of the others", async () => {
    const greedy = new TestSource([], {
      name: "greedy",
      pull: () => incoming(100),
    });
    const free = many("free");
    const { clock, running } = await startScene(
      {
        producer: undefined,
        producers: {
          greedy: { producer: greedy, rateLimit: { messages: 2, interval: 1000 } },
          free,
        },
        maxInFlight: 20,
      },
      free,
    );
    await clock.advance(2000);
    expect(greedy.acknowledged).toHaveLength(6);
    expect(free.acknowledged).toHaveLength(500);
    await stopWithin(clock, running, 0);
  });

  it("flushes no batch for the sake of what waits for it", async () => {
    const source = new TestSource([], {
      pull: () => incoming(9),
    });
    const sizes: number[] = [];
    const { clock, running } = await startScene(
      {
        rateLimit: { messages: 1, interval: 100 },
        processor: { handle: (message: any) => message.to("sink") },
        batchers: {
          sink: { size: 3, timeout: 60_000, handle: (batch: any) => void sizes.push(batch.length) },
        },
      },
      source,
    );
    await clock.advance(1000);
    expect(sizes).toEqual([3, 3, 3]);
    await stopWithin(clock, running, 0);
  });

  it("of one source leaves the others alone, and holds over all its sessions", async () => {
    const slow = many("slow");
    const free = many("free");
    const { clock, running } = await startScene(
      {
        producer: undefined,
        producers: {
          slow: { producer: slow, concurrency: 3, rateLimit: { messages: 6, interval: 1000 } },
          free,
        },
      },
      free,
    );
    expect(free.acknowledged).toHaveLength(500);
    await clock.advance(2000);
    expect(slow.acknowledged).toHaveLength(18);
    await stopWithin(clock, running, 0);
  });

  it("gives back what a pull was allowed and did not bring", async () => {
    const source = new TestSource(numbers(1, 2), {});
    const { clock, running } = await startScene(
      { rateLimit: { messages: 10, interval: 1_000_000 } },
      source,
    );
    source.push(...numbers(3, 30));
    await clock.settle();
    expect(source.acknowledged).toEqual(numbers(1, 10));
    await stopWithin(clock, running, 0);
  });

  it("holds no messages: a stop loses none, and does not wait for the next interval", async () => {
    const { clock, source, running } = await startScene(
      { rateLimit: { messages: 10, interval: 3_600_000 } },
      many("a"),
    );
    const { took } = await stopWithin(clock, running, 60_000);
    expect(took).toBeLessThan(100);
    expect(source.acknowledged).toEqual(numbers(1, 10));
    expect(source.waiting).toEqual(numbers(11, 500));
    expect(clock.timers).toBe(0);
  });

  it("holds for what is pushed, too", async () => {
    const { clock, running } = await startScene({ rateLimit: { messages: 2, interval: 1000 } });
    void running.push(numbers(1, 5));
    await clock.settle();
    expect(running.stats().succeeded).toBe(2);
    await clock.advance(1500);
    expect(running.stats().succeeded).toBe(5);
    await stopWithin(clock, running, 0);
  });

  it("is never exceeded in any second, however long handlers take", async () => {
    const came: number[] = [];
    const { clock, running, source } = await startScene(
      {
        rateLimit: { messages: 7, interval: 1000, burst: 4 },
        processor: {
          concurrency: 3,
          handle(message: any) {
            came.push(message.receivedAt);
            return sleep(clock, (message.data * 37) % 300);
          },
        },
      },
      new TestSource(),
    );
    source.push(...numbers(1, 500));
    await clock.advance(20_000);
    for (const [index, from] of came.entries()) {
      const within = came.slice(index).filter((at) => at < from + 1000).length;
      expect(within).toBeLessThanOrEqual(4 + 7);
    }
    expect(came.length).toBeGreaterThanOrEqual(140);
    expect(came.length).toBeLessThanOrEqual(144);
    await stopWithin(clock, running, 1000);
  });
});
