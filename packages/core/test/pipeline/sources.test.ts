import { describe, expect, it } from "vitest";
import { never } from "../support/deferred.ts";
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
