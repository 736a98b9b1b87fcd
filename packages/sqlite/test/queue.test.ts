import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { systemClock } from "westend";
import { batchInsert, sqliteQueue, type LeasedMessage } from "@westend/sqlite";
import { calendarClock, file, queueOf, watched } from "./support/fixtures.ts";

const payloads = (messages: readonly LeasedMessage[]): unknown[] =>
  messages.map(({ payload }) => payload);

describe("SqliteQueue", () => {
  it("hands messages out in the order in which they were enqueued", async () => {
    const queue = queueOf();
    await queue.enqueue("a");
    await queue.enqueueAll(["b", { payload: "c", key: "k" }, "d"]);
    expect(payloads(await queue.lease({ limit: 2 }))).toEqual(["a", "b"]);
    expect(payloads(await queue.lease())).toEqual(["c", "d"]);
  });

  it.each([
    ["text", "zażółć 🐟"],
    ["empty text", ""],
    ["text with a NUL", "a\0b"],
    ["half a surrogate pair", "\ud800x"],
    ["a byte order mark", "\ufeffx"],
    ["bytes", new Uint8Array([0, 1, 255])],
    ["no bytes", new Uint8Array(0)],
  ])("gives back %s as it was given", async (_, payload) => {
    const queue = queueOf();
    await queue.enqueue(payload);
    const [message] = await queue.lease();
    expect(message?.payload).toStrictEqual(payload);
  });

  it("keeps what was enqueued when it is opened again", async () => {
    const path = file();
    const first = queueOf({ path });
    const id = await first.enqueue("a", { key: 7n });
    await first.close();
    const [message] = await queueOf({ path }).lease();
    expect(message?.metadata).toMatchObject({ id, key: "7", queue: "default", attempts: 1 });
  });

  it("stores bytes as they were when it was called", async () => {
    const queue = queueOf({ linger: 5 });
    const bytes = new Uint8Array([1, 2]);
    const enqueued = queue.enqueue(bytes);
    bytes.fill(9);
    await enqueued;
    expect((await queue.lease())[0]?.payload).toEqual(new Uint8Array([1, 2]));
  });

  it("never gives an id twice, even when the queue was empty in between", async () => {
    const path = file();
    const ids = new Set<string>();
    for (let round = 0; round < 3; round += 1) {
      const queue = queueOf({ path });
      ids.add(await queue.enqueue("a"));
      await queue.acknowledge(await queue.lease());
      await queue.close();
    }
    expect(ids.size).toBe(3);
  });

  it("commits single enqueues together", async () => {
    let commits = 0;
    const client = watched((sql) => {
      if (sql === "COMMIT") commits += 1;
    });
    const queue = queueOf({ client, linger: 5 });
    await queue.open();
    const before = commits;
    await Promise.all(Array.from({ length: 250 }, (_, index) => queue.enqueue(String(index))));
    expect(commits - before).toBeLessThanOrEqual(4);
    expect(await queue.size()).toBe(250);
  });

  it("does not let a message that cannot be stored take others with it", async () => {
    const client = watched((sql, values) => {
      if (sql.startsWith("INSERT") && values.includes("bad")) throw new Error("too big");
    });
    const queue = queueOf({ client });
    await queue.open();
    const results = await Promise.allSettled(["a", "bad", "b"].map((each) => queue.enqueue(each)));
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(payloads(await queue.lease())).toEqual(["a", "b"]);
  });

  it("refuses what is neither text nor bytes, without showing it", async () => {
    const queue = queueOf();
    const secret = { secret: "hunter2" } as unknown as string;
    await expect(queue.enqueue(secret)).rejects.toThrow("A payload is text or bytes, got object");
    await expect(queue.enqueue("a", { key: "k\0" })).rejects.toThrow(RangeError);
    await expect(queue.enqueue("a", { key: "k".repeat(1_025) })).rejects.toThrow(RangeError);
    await expect(queue.enqueue("a", { delay: NaN })).rejects.toThrow(RangeError);
  });

  it("does not take a single text for messages", async () => {
    const queue = queueOf();
    // @ts-expect-error -- text is an iterable, of characters
    const enqueued = queue.enqueueAll("hunter2");
    await expect(enqueued).rejects.toThrow(
      "messages: expected an iterable, got text. Put a single one into an array.",
    );
    expect(await queue.size()).toBe(0);
  });

  it("refuses options that there are not, and says which was meant", async () => {
    const queue = queueOf();
    // @ts-expect-error -- there is no such option
    const one = queue.enqueue("a", { keyy: "hunter2" });
    await expect(one).rejects.toThrow(
      "enqueue: 1 mistake\n  keyy: expected one of key, delay, got an unknown option. Did you mean key?",
    );
    const several = queue.enqueueAll(["a", { payload: "b", dealy: 7 } as { payload: string }]);
    await expect(several).rejects.toThrow(
      "enqueueAll: 1 mistake\n  dealy: expected one of payload, key, delay, got an unknown option. Did you mean delay?",
    );
    expect(await queue.size()).toBe(0);
  });

  it("holds a delayed message back until it is due, then hands it out before later ones", async () => {
    const clock = calendarClock();
    const queue = queueOf({ clock });
    await queue.enqueue("later", { delay: 1_000 });
    await queue.enqueue("now");
    clock.pass(999);
    expect(payloads(await queue.lease({ limit: 1 }))).toEqual(["now"]);
    await queue.enqueue("last");
    clock.pass(1);
    expect(payloads(await queue.lease())).toEqual(["later", "last"]);
  });

  it("hands a message out again when its lease has run out, and counts the attempt", async () => {
    const clock = calendarClock();
    const queue = queueOf({ clock });
    await queue.enqueue("a");
    expect((await queue.lease({ duration: 100 }))[0]?.attempt).toBe(1);
    clock.pass(99);
    expect(await queue.lease()).toEqual([]);
    clock.pass(1);
    expect((await queue.lease())[0]?.attempt).toBe(2);
  });

  it("keeps a message whose lease is extended", async () => {
    const clock = calendarClock();
    const queue = queueOf({ clock });
    await queue.enqueue("a");
    const messages = await queue.lease({ duration: 100 });
    clock.pass(90);
    expect(await queue.extend(messages, 100)).toEqual([]);
    clock.pass(90);
    expect(await queue.lease()).toEqual([]);
  });

  it("does not count an attempt that was released", async () => {
    const queue = queueOf();
    await queue.enqueue("a");
    await queue.release(await queue.lease());
    expect((await queue.lease())[0]?.attempt).toBe(1);
  });

  it("makes a failed message wait, and counts the attempt", async () => {
    const clock = calendarClock();
    const queue = queueOf({ clock });
    await queue.enqueue("a");
    await queue.retry(await queue.lease(), 500);
    clock.pass(499);
    expect(await queue.lease()).toEqual([]);
    clock.pass(1);
    expect((await queue.lease())[0]?.attempt).toBe(2);
  });

  it("gives no more bytes than there is room for, but one message at least", async () => {
    const queue = queueOf();
    const sizes = [10, 10, 5, 500, 1];
    await queue.enqueueAll(sizes.map((size) => "x".repeat(size)));
    const lengths: number[][] = [];
    for (let round = 0; round < 3; round += 1) {
      const messages = await queue.lease({ bytes: 25 });
      lengths.push(messages.map(({ size }) => size));
    }
    expect(lengths).toEqual([[10, 10, 5], [500], [1]]);
  });

  it("counts messages by what they wait for", async () => {
    const clock = calendarClock();
    const queue = queueOf({ clock });
    await queue.enqueueAll(["a", "b", "c", "d", { payload: "e", delay: 10 }]);
    await queue.retry(await queue.lease({ limit: 1 }), 100);
    await queue.lease({ limit: 1, duration: 50 });
    expect(await queue.counts()).toEqual({ ready: 2, leased: 1, delayed: 2, dead: 0 });
    clock.pass(50);
    expect(await queue.counts()).toEqual({ ready: 4, leased: 0, delayed: 1, dead: 0 });
    expect(await queue.size()).toBe(5);
  });

  it("keeps queues in one file apart", async () => {
    const path = file();
    const [one, two] = [queueOf({ path, name: "one" }), queueOf({ path, name: "two" })];
    await one.enqueue("1");
    await two.enqueue("2");
    expect(payloads(await two.lease())).toEqual(["2"]);
    expect(await one.counts()).toMatchObject({ ready: 1, leased: 0 });
  });

  it("works on a connection of the user's, and does not close it", async () => {
    const client = new DatabaseSync(file());
    const queue = queueOf({ client });
    await queue.enqueue("a");
    await queue.close();
    expect(client.prepare("SELECT count(*) AS count FROM westend_message").get()).toEqual({
      count: 1,
    });
    client.close();
  });

  it.each([{ readBigInts: true }, { returnArrays: true }])(
    "works on a connection of the user's whose own rows are other: %o",
    async (options) => {
      const client = new DatabaseSync(file(), options as object);
      const queue = queueOf({ client });
      const ids = await queue.enqueueAll(Array.from({ length: 150 }, () => "a"));
      const [message] = await queue.lease({ limit: 1 });
      expect(message?.metadata).toMatchObject({ id: ids[0], attempts: 1 });
      expect(await queue.counts()).toEqual({ ready: 149, leased: 1, delayed: 0, dead: 0 });
      client.exec("CREATE TABLE event (id INTEGER PRIMARY KEY, note TEXT)");
      const events = batchInsert(client, { table: "event", key: ["id"], onConflict: "ignore" });
      await events.insert([{ id: 1 }]);
      expect(await events.insert([{ id: 1 }, { id: 2 }])).toEqual({ inserted: 1, known: 1 });
      await queue.close();
      client.close();
    },
  );

  it("takes nothing after it was closed", async () => {
    const queue = queueOf();
    const pending = queue.enqueue("a");
    await pending;
    await queue.close();
    await queue.close();
    await expect(queue.enqueue("b")).rejects.toMatchObject({ code: "WESTEND_ERR_STOPPED" });
  });

  it("commits what is waiting when it is closed", async () => {
    const path = file();
    const queue = queueOf({ path, linger: 10_000 });
    await queue.open();
    const waiting = Promise.all([queue.enqueue("a"), queue.enqueue("b")]);
    await queue.size();
    await queue.close();
    await waiting;
    expect(await queueOf({ path }).size()).toBe(2);
  });

  it("lets others have the event loop after every few transactions", async () => {
    let now = 0;
    const clock = { ...systemClock, now: () => (now += 1) };
    const queue = queueOf({ synchronous: "normal", clock });
    await queue.open();
    let turns = 0;
    let running = true;
    const count = (): void => {
      turns += 1;
      if (running) setImmediate(count);
    };
    setImmediate(count);
    await queue.enqueueAll(Array.from({ length: 10_000 }, () => "x"));
    running = false;
    // A hundred transactions, of at least a millisecond each by this clock.
    expect(turns).toBeGreaterThan(15);
  });
});

describe("sqliteQueue", () => {
  it("lists every mistake in its options", () => {
    const options = { path: "", name: "", synchronous: "off", linger: -1, durable: true };
    expect(() => sqliteQueue(options as never)).toThrow(/5 mistakes/);
  });

  it("wants a path or a client, not both", () => {
    expect(() => sqliteQueue({})).toThrow(/either `path` or `client`/);
    const client = new DatabaseSync(":memory:");
    expect(() => sqliteQueue({ path: "a", client })).toThrow(/either `path` or `client`/);
  });
});
