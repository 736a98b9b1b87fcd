import { describe, expect, it, onTestFinished } from "vitest";
import type { Demand } from "westend";
import { sqlite, type SqliteOptions } from "@westend/sqlite";
import { calendarClock, file, held, meddle, queueOf } from "./support/fixtures.ts";
import { fakeContext, settled } from "./support/context.ts";

const signal = new AbortController().signal;
const room = (messages: number, bytes = Infinity): Demand => ({ messages, bytes });

async function opened(options: Partial<SqliteOptions> = {}) {
  const clock = calendarClock();
  const context = fakeContext(clock);
  const queue = queueOf({ clock });
  const session = await sqlite({ queue, ...options }).open(context);
  onTestFinished(async () => session.close?.());
  return { clock, context, queue, session };
}

describe("sqlite", () => {
  it("lists every mistake in its options", () => {
    const options = { path: "a", lease: 0, idle: -1, finite: "yes", onFailure: "drop" };
    expect(() => sqlite(options as never)).toThrow(/4 mistakes/);
    expect(() => sqlite({})).toThrow(/either `queue` or `path` or `client`/);
  });

  it("holds nothing open until it is opened", async () => {
    const path = file();
    const producer = sqlite({ path });
    expect(() => meddle(path, "SELECT * FROM westend_message")).toThrow("no such table");
    const session = await producer.open(fakeContext());
    expect(meddle(path, "SELECT * FROM westend_message")).toEqual([]);
    await session.close?.();
  });

  it("gives no more than is asked for, in messages and in bytes", async () => {
    const { queue, session } = await opened();
    await queue.enqueueAll(["aaaa", "bbbb", "cccc", "dddd"]);
    expect(await session.pull(room(1), signal)).toHaveLength(1);
    expect(await session.pull(room(10, 8), signal)).toHaveLength(2);
    expect(await session.pull(room(10), signal)).toHaveLength(1);
    expect(await session.pull(room(10), signal)).toEqual([]);
  });

  it("says what it knows about a message", async () => {
    const { queue, session, clock } = await opened();
    const id = await queue.enqueue("a", { key: 7 });
    const [message] = (await session.pull(room(1), signal)) ?? [];
    expect(message).toMatchObject({ payload: "a", key: "7", size: 1, attempt: 1 });
    expect(message?.metadata).toEqual({
      id,
      queue: "default",
      enqueuedAt: clock.date(),
      attempts: 1,
      key: "7",
    });
  });

  it("wakes the pipeline when a message is enqueued in this process", async () => {
    const { queue, session, context } = await opened();
    expect(await session.pull(room(1), signal)).toEqual([]);
    await queue.enqueue("a");
    expect(context.wakes).toBe(1);
  });

  it("deletes what succeeded and makes what failed wait", async () => {
    const { queue, session, clock } = await opened({ retryDelay: 1_000 });
    await queue.enqueueAll(["good", "bad"]);
    const [good, bad] = (await session.pull(room(2), signal)) ?? [];
    expect(await session.acknowledge(settled([good!], [bad!]))).toBeUndefined();
    expect(await queue.counts()).toEqual({ ready: 0, leased: 0, delayed: 1, dead: 0 });
    clock.pass(1_000);
    const [again] = (await session.pull(room(2), signal)) ?? [];
    expect(again).toMatchObject({ payload: "bad", attempt: 2 });
  });

  it("makes a dead letter of what failed if told to, once or for all", async () => {
    const { queue, session } = await opened({ onFailure: "deadLetter" });
    await queue.enqueueAll([{ payload: "a", key: "k" }, "b"]);
    const [a, b] = (await session.pull(room(2), signal)) ?? [];
    await session.acknowledge(settled([], [a!]));
    await session.acknowledge(settled([], [b!], { onFailure: "retry", retryDelay: 5 }));
    const [letter] = await queue.deadLetters.list();
    expect(letter).toMatchObject({
      payload: "a",
      key: "k",
      pipeline: "test",
      source: "jobs",
      attempts: 1,
      error: { name: "Error", message: "it failed" },
      metadata: { id: a!.metadata.id },
    });
    expect(await queue.counts()).toEqual({ ready: 0, leased: 0, delayed: 1, dead: 1 });
  });

  it("reports acknowledgements whose lease somebody else has, and counts them", async () => {
    const { queue, session, clock, context } = await opened({ lease: 100 });
    await queue.enqueueAll(["a", "b", "c"]);
    const messages = (await session.pull(room(3), signal)) ?? [];
    clock.pass(100);
    await queue.lease({ limit: 2 });
    const result = await session.acknowledge(settled(messages.slice(1), messages.slice(0, 1)));
    const refused = result?.refused.map(({ incoming }) => incoming.payload);
    expect(refused?.toSorted()).toEqual(["a", "b"]);
    expect(String(result?.reason)).toMatch(/LeaseLost/);
    expect(result?.final).toBe(true);
    expect(context.events).toEqual([{ event: "leaseLost", fields: { count: 2 } }]);
  });

  it("does not lose acknowledgements that come one by one", async () => {
    const { queue, session } = await opened();
    await queue.enqueueAll(Array.from({ length: 250 }, (_, index) => String(index)));
    for (let left = 250; left > 0;) {
      const messages = (await session.pull(room(100), signal)) ?? [];
      await Promise.all(messages.map(async (each) => session.acknowledge(settled([each]))));
      left -= messages.length;
    }
    expect(await queue.size()).toBe(0);
  });

  it("keeps the lease of messages that are being worked on", async () => {
    const { queue, session, clock } = await opened({ lease: 300 });
    await queue.enqueue("a");
    const messages = (await session.pull(room(1), signal)) ?? [];
    for (let third = 0; third < 9; third += 1) {
      clock.pass(100);
      await session.extend?.(messages, 300);
      expect(await queue.lease()).toEqual([]);
    }
  });

  it("gives back what it did not handle, without counting the attempt", async () => {
    const { queue, session } = await opened();
    await queue.enqueue("a");
    await session.release?.((await session.pull(room(1), signal)) ?? []);
    expect((await queue.lease())[0]?.attempt).toBe(1);
  });

  it("gives back what was never acknowledged when it is closed, and counts the attempt", async () => {
    const { queue, session } = await opened();
    await queue.enqueueAll(["a", "b"]);
    const [a] = (await session.pull(room(2), signal)) ?? [];
    await session.acknowledge(settled([a!]));
    await session.close?.();
    const [b] = await queue.lease();
    expect(b).toMatchObject({ payload: "b", attempt: 2 });
  });

  it("takes nothing more once it drains", async () => {
    const { queue, session } = await opened();
    await queue.enqueue("a");
    await session.drain?.();
    expect(await session.pull(room(1), signal)).toEqual([]);
    expect(await queue.counts()).toMatchObject({ ready: 1, leased: 0 });
  });

  it("ends only once nothing is left that could still come, if it is finite", async () => {
    const { queue, session, clock } = await opened({ finite: true, retryDelay: 10 });
    await queue.enqueueAll(["a", { payload: "b", delay: 50 }]);
    const [a] = (await session.pull(room(9), signal)) ?? [];
    expect(await session.pull(room(9), signal)).toEqual([]);
    await session.acknowledge(settled([], [a!]));
    expect(await session.pull(room(9), signal)).toEqual([]);
    clock.pass(50);
    const rest = (await session.pull(room(9), signal)) ?? [];
    expect(rest.map(({ payload }) => payload)).toEqual(["a", "b"]);
    await session.acknowledge(settled(rest));
    expect(await session.pull(room(9), signal)).toBeNull();
  });

  it("says how many messages are left", async () => {
    const { queue, session } = await opened();
    await queue.enqueueAll(["a", "b", "c"]);
    await session.pull(room(1), signal);
    expect(session.remaining?.()).toBe(2);
  });

  it("says how long it holds a message and how often it looks", async () => {
    const { session } = await opened({ lease: 5_000, idle: 20 });
    expect(session).toMatchObject({ lease: 5_000, idle: 20 });
  });

  it("stops waiting for the lock when it is told to", async () => {
    const controller = new AbortController();
    const { queue, release } = await held((count) => count === 3 && controller.abort());
    const session = await sqlite({ queue }).open(fakeContext());
    expect(await session.pull(room(1), controller.signal)).toEqual([]);
    release();
    await queue.enqueue("a");
    expect(await session.pull(room(1), signal)).toHaveLength(1);
    await session.close?.();
  });
});
