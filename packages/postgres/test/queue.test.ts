import pg from "pg";
import { expect, it, onTestFinished } from "vitest";
import { describeWith } from "test-servers/vitest";
import { definePipeline, text } from "westend";
import {
  postgres,
  postgresQueue,
  retryable,
  type LeasedMessage,
  type PostgresQueue,
  type PostgresQueueOptions,
} from "@westend/postgres";
import { holding, testDatabase } from "./support/database.ts";
import { LossyPool } from "./support/lossy-pool.ts";

async function queues(options: Partial<PostgresQueueOptions> = {}) {
  const database = await testDatabase();
  const { schema, pool, another } = database;
  const queue = postgresQueue(pool, { schema, ...options });
  /** The queue as another process sees it. */
  const other = () => postgresQueue(another(), { schema, ...options });
  await queue.open();
  /** Lets time go by, for what is in the queue. */
  const pass = (milliseconds: number): Promise<unknown> =>
    database.rows(`update message set due = due - interval '${milliseconds} milliseconds'`);
  return { ...database, queue, other, pass };
}

const payloads = (messages: readonly LeasedMessage[]): unknown[] =>
  messages.map(({ payload }) => payload);

describeWith("postgres", "postgresQueue", () => {
  it.each([
    "",
    "text",
    "a\0b",
    "half a pair \ud800",
    "ÿ € 😀",
    new Uint8Array(),
    new Uint8Array([0, 255, 128, 92]),
  ])("gives back %o as it was", async (payload) => {
    const { queue } = await queues();
    await queue.enqueue(payload);
    const [message] = await queue.lease();
    const given = message?.payload;
    expect(given instanceof Uint8Array ? new Uint8Array(given) : given).toEqual(payload);
  });

  it("hands messages out in the order in which they were enqueued, and says what it knows", async () => {
    const { queue } = await queues({ name: "jobs" });
    const ids = await queue.enqueueAll(Array.from({ length: 1_200 }, (_, index) => `${index}`));
    const leased = [
      ...(await queue.lease({ limit: 500 })),
      ...(await queue.lease({ limit: 500 })),
      ...(await queue.lease({ limit: 500 })),
    ];
    expect(payloads(leased)).toEqual(ids.map((_, index) => `${index}`));
    expect(leased[7]?.metadata).toMatchObject({
      id: ids[7],
      queue: "jobs",
      attempts: 1,
      key: undefined,
    });
    expect(await queue.acknowledge(leased)).toEqual([]);
    expect(await queue.counts()).toEqual({ ready: 0, leased: 0, delayed: 0, dead: 0 });
  });

  it("gives no more than there is room for in bytes, but one at least", async () => {
    const { queue } = await queues();
    await queue.enqueueAll(["aaaa", "bbbb", "cccc"]);
    expect(payloads(await queue.lease({ bytes: 9 }))).toEqual(["aaaa", "bbbb"]);
    expect(payloads(await queue.lease({ bytes: 1 }))).toEqual(["cccc"]);
  });

  it("gives the first message of a key where there is room for one only, whatever the digits of their numbers", async () => {
    const { queue } = await queues();
    await queue.enqueueAll(Array.from({ length: 8 }, () => "before"));
    await queue.acknowledge(await queue.lease());
    await queue.enqueueAll(["ninth", "tenth"].map((payload) => ({ payload, key: "k" })));
    expect(payloads(await queue.lease({ bytes: 1 }))).toEqual(["ninth"]);
  });

  it("hands out again what was not acknowledged in time, and refuses who comes too late", async () => {
    const { queue, other, pass } = await queues();
    await queue.enqueueAll(["a", "b"]);
    const old = await queue.lease({ duration: 1_000 });
    await pass(1_000);
    const heir = other();
    const fresh = await heir.lease({ limit: 1 });
    expect(fresh).toMatchObject([{ payload: "a", attempt: 2 }]);
    expect(payloads(await queue.extend(old, 60_000))).toEqual(["a"]);
    expect(payloads(await queue.acknowledge(old))).toEqual(["a"]);
    expect(await heir.acknowledge(fresh)).toEqual([]);
    expect(await queue.size()).toBe(0);
  });

  it("keeps what is extended", async () => {
    const { queue, other, pass } = await queues();
    await queue.enqueue("a");
    const held = await queue.lease({ duration: 1_000 });
    for (let third = 0; third < 4; third += 1) {
      await pass(900);
      expect(await queue.extend(held, 1_000)).toEqual([]);
    }
    expect(await other().lease()).toEqual([]);
    expect(await queue.acknowledge(held)).toEqual([]);
  });

  it("does not count an attempt that was given back", async () => {
    const { queue } = await queues();
    await queue.enqueue("a");
    await queue.release(await queue.lease());
    expect(await queue.lease()).toMatchObject([{ attempt: 1 }]);
  });

  it("hands out what was enqueued for later when it is due, and holds nothing back for it", async () => {
    const { queue, pass } = await queues();
    await queue.enqueue("later", { key: "k", delay: 5_000 });
    await queue.enqueue("now", { key: "k" });
    const first = await queue.lease();
    expect(payloads(first)).toEqual(["now"]);
    await queue.acknowledge(first);
    expect(await queue.counts()).toMatchObject({ delayed: 1, ready: 0 });
    await pass(5_000);
    expect(payloads(await queue.lease())).toEqual(["later"]);
  });

  it("gives messages of a key to one process at a time, and a failed one before later ones", async () => {
    const { queue, other, pass } = await queues();
    await queue.enqueueAll(
      ["a1", "b1", "a2", "b2"].map((payload) => ({ payload, key: payload[0] })),
    );
    const mine = await queue.lease({ limit: 1 });
    const theirs = other();
    expect(payloads(await theirs.lease())).toEqual(["b1", "b2"]);
    await queue.retry(mine, 5_000);
    expect(await theirs.lease()).toEqual([]);
    await pass(5_000);
    expect(payloads(await theirs.lease())).toEqual(["a1", "a2"]);
  });

  it("gives a failed message to nobody else while later ones of its key are being worked on", async () => {
    const { queue, other } = await queues();
    await queue.enqueueAll(["k1", "k2"].map((payload) => ({ payload, key: "k" })));
    const [first, second] = await queue.lease();
    await queue.retry([first!], 0);
    expect(await other().lease()).toEqual([]);
    await queue.acknowledge([second!]);
    expect(payloads(await other().lease())).toEqual(["k1"]);
  });

  it.each([
    ["that fell due", 60_000],
    ["of its own whose lease has run out", 0],
  ])(
    "takes no later messages of a key while somebody takes an earlier one %s",
    async (_, delay) => {
      const { queue, another, schema, pass } = await queues();
      const { target, hold } = holding(another());
      const other = postgresQueue(target, { schema });
      await other.open();
      await queue.enqueue("k1", { key: "k", delay });
      expect(await queue.lease()).toHaveLength(delay === 0 ? 1 : 0);
      await queue.enqueue("k2", { key: "k" });
      await pass(60_000);
      const held = hold();
      const leasing = other.lease({ limit: 1 });
      const goOn = await held;
      const mine = await queue.lease();
      goOn();
      expect(payloads(await leasing)).toEqual(["k1"]);
      expect(payloads(mine)).toEqual([]);
    },
  );

  it("takes no later messages of a key if it does not know whether it has the earlier ones", async () => {
    const { queue, another, schema, pass } = await queues();
    const pool = new LossyPool(another(), () => 0.99);
    const unlucky = postgresQueue(pool, { schema });
    await unlucky.open();
    await queue.enqueueAll(["k1", "k2"].map((payload) => ({ payload, key: "k" })));
    pool.lose(0.02, /^commit/);
    await expect(unlucky.lease({ limit: 1 })).rejects.toThrow("Connection terminated");
    pool.lose(0);
    expect(await unlucky.lease()).toEqual([]);
    await pass(30_000);
    expect(payloads(await unlucky.lease())).toEqual(["k1", "k2"]);
  });

  it("gives no message to two, and keeps every key in order, while eight lease at once", async () => {
    const { queue, other } = await queues();
    const sent = Array.from({ length: 600 }, (_, index) => ({
      payload: `${index}`,
      key: index % 3 === 0 ? undefined : `k${index % 7}`,
    }));
    await queue.enqueueAll(sent);
    const seen: LeasedMessage[] = [];
    const holders = new Map<string, object>();
    const work = async (): Promise<void> => {
      const mine = other();
      while ((await mine.size()) > 0) {
        const messages = await mine.lease({ limit: 7 });
        for (const { key } of messages) {
          if (key === undefined) continue;
          expect(holders.get(key) ?? mine).toBe(mine);
          holders.set(key, mine);
        }
        seen.push(...messages);
        for (const { key } of messages) if (key !== undefined) holders.delete(key);
        await mine.acknowledge(messages);
      }
    };
    await Promise.all(Array.from({ length: 8 }, work));
    expect(seen).toHaveLength(600);
    expect(new Set(payloads(seen)).size).toBe(600);
    for (const key of ["k0", "k1", "k2", "k3", "k4", "k5", "k6"]) {
      const ofKey = seen
        .filter((message) => message.key === key)
        .map((each) => Number(each.payload));
      expect(ofKey).toEqual(ofKey.toSorted((a, b) => a - b));
    }
  });

  it("wakes the sources of other processes at once", async () => {
    const { queue, other } = await queues();
    const seen: string[] = [];
    const pipeline = definePipeline({
      name: "woken",
      producer: postgres({ queue: other(), idle: 600_000 }),
      decoder: text(),
      processor: { handle: (message) => void seen.push(message.data) },
    });
    const running = await pipeline.start();
    onTestFinished(async () => void (await running.stop()));
    await queue.enqueue("a");
    await expect.poll(() => seen, { timeout: 30_000 }).toEqual(["a"]);
    await queue.enqueue("b");
    await expect.poll(() => seen, { timeout: 30_000 }).toEqual(["a", "b"]);
  });

  it("listens on one connection for all queues of a schema, however many there are", async () => {
    const { schema, rows, another, queue } = await queues({ name: "q0" });
    const pool = another({ max: 2 });
    const all = Array.from({ length: 4 }, (_, index) =>
      postgresQueue(pool, { schema, name: `q${index}`, timeout: 2_000 }),
    );
    const woken: string[] = [];
    const stops = all.map((each) => each.onReady(() => void woken.push(each.name)));
    const listening = async (): Promise<number> =>
      (
        await rows("select 1 from pg_stat_activity where query = $1", [
          `listen "westend:${schema}"`,
        ])
      ).length;
    await expect.poll(() => woken.toSorted()).toEqual(["q0", "q1", "q2", "q3"]);
    await queue.enqueue("a");
    await expect.poll(() => woken.slice(4)).toEqual(["q0"]);
    expect(payloads(await all[0]!.lease())).toEqual(["a"]);
    for (const stop of stops.slice(1)) stop();
    expect(await listening()).toBe(1);
    stops[0]!();
    await expect.poll(listening).toBe(0);
  });

  it("does not take the only connection of a pool to listen", async () => {
    const { schema, another } = await queues();
    const queue = postgresQueue(another({ max: 1 }), { schema, timeout: 2_000 });
    const stop = queue.onReady(() => undefined);
    await queue.enqueue("a");
    expect(payloads(await queue.lease())).toEqual(["a"]);
    stop();
  });

  it("says that it got no connection if the pool has none left", async () => {
    const { schema, another } = await queues();
    const pool = another({ max: 1 });
    const queue = postgresQueue(pool, { schema, timeout: 50 });
    const client = await pool.connect();
    const error = await queue.lease().catch((reason: unknown) => reason);
    client.release();
    expect(error).toMatchObject({ name: "ConnectionTimeout", code: "ETIMEDOUT" });
    expect(retryable(error)).toBe(true);
  });

  it("takes schemas whose names are as long as they may be, and alike but for their ends", async () => {
    const { schema, another, rows } = await testDatabase();
    const pool = another({ max: 2 });
    for (const end of ["a", "b"]) {
      const name = schema.padEnd(62, "-") + end;
      onTestFinished(async () => void (await rows(`drop schema "${name}" cascade`)));
      const queue = postgresQueue(pool, { schema: name });
      let heard = 0;
      const stop = queue.onReady(() => (heard += 1));
      await expect.poll(() => heard).toBe(1);
      await postgresQueue(another(), { schema: name }).enqueue(end, { key: "k" });
      await expect.poll(() => heard).toBe(2);
      expect(payloads(await queue.lease())).toEqual([end]);
      stop();
    }
  });

  it.each([true, false])(
    "opens itself in a transaction of the user's without ending it, with its tables there or not: %s",
    async (there) => {
      const database = await testDatabase("create table event (id text)");
      const { schema, url, rows } = database;
      const client = new pg.Client({ connectionString: url, options: `-c search_path=${schema}` });
      await client.connect();
      onTestFinished(() => client.end());
      const queue = postgresQueue(client, { schema });
      if (there) await postgresQueue(database.pool, { schema }).open();
      for (const end of ["rollback", "commit"]) {
        await client.query("begin");
        await client.query("insert into event values ($1)", [end]);
        await queue.enqueue(end, { transaction: client });
        await queue.enqueue(`${end} again`, { transaction: client });
        await client.query(end);
      }
      expect(await rows("select id from event")).toEqual([{ id: "commit" }]);
      expect(payloads(await queue.lease())).toEqual(["commit", "commit again"]);
    },
  );

  it("does not count on tables that another queue made in a transaction that was undone", async () => {
    const { schema, pool } = await testDatabase();
    const [one, other] = ["one", "other"].map((name) => postgresQueue(pool, { schema, name })) as [
      PostgresQueue,
      PostgresQueue,
    ];
    const client = await pool.connect();
    onTestFinished(() => client.release());
    await client.query("begin");
    await one.enqueue("undone", { transaction: client });
    await other.enqueue("undone", { transaction: client });
    await client.query("rollback");
    await client.query("begin");
    const id = await other.enqueue("done", { transaction: client });
    await client.query("commit");
    const leased = await other.lease();
    expect(leased.map(({ metadata }) => metadata.id)).toEqual([id]);
  });

  it("opens itself in a transaction that has the only connection of the pool", async () => {
    const { schema, another } = await testDatabase();
    const pool = another({ max: 1 });
    const queue = postgresQueue(pool, { schema });
    const client = await pool.connect();
    await client.query("begin");
    await queue.enqueue("a", { transaction: client });
    await client.query("commit");
    client.release();
    expect(payloads(await queue.lease())).toEqual(["a"]);
  });

  it("enqueues in a transaction of the user's", async () => {
    const { queue, pool } = await queues();
    const client = await pool.connect();
    await client.query("begin");
    await queue.enqueue("undone", { transaction: client });
    await client.query("rollback");
    await client.query("begin");
    await queue.enqueue("done", { transaction: client });
    expect(await queue.lease()).toEqual([]);
    await client.query("commit");
    client.release();
    expect(payloads(await queue.lease())).toEqual(["done"]);
  });

  it("refuses what it could not give back, without showing it", async () => {
    const { queue } = await queues();
    await expect(queue.enqueue({ secret: 4711 } as never)).rejects.toThrow("got object");
    await expect(queue.enqueue("a", { key: "x".repeat(2_000) })).rejects.toThrow("1024");
    await expect(queue.enqueue("a", { delay: -1 })).rejects.toThrow("delay");
    await queue.close();
    await expect(queue.enqueue("a")).rejects.toMatchObject({ code: "WESTEND_ERR_STOPPED" });
  });

  it("lists every mistake in its options", () => {
    expect(() => postgresQueue({} as never, { name: "", listen: 1 } as never)).toThrow(
      /3 mistakes/,
    );
    expect(() => postgres({ lease: 0, finite: "yes" } as never)).toThrow(/3 mistakes/);
  });
});
