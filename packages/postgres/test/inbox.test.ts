import { expect, it } from "vitest";
import { describeWith } from "test-servers/vitest";
import { constant, definePipeline, fromIterable, retry } from "westend";
import { batchInsert, postgresInbox, retryable, type InboxOptions } from "@westend/postgres";
import { testDatabase, type TestDatabase } from "./support/database.ts";
import { messages, type FakeMessage } from "./support/messages.ts";

interface Payment {
  readonly id: number;
  readonly cents: number;
}

const TABLE = `create table balance (cents integer not null check (cents < 1000)); insert into balance values (0);
  create table seen (id integer, cents integer)`;

async function balances(options: Partial<InboxOptions> = {}) {
  const database = await testDatabase(TABLE);
  const { pool, schema } = database;
  const inbox = postgresInbox(pool, { name: "balances", schema, ...options });
  const pay = (batch: readonly FakeMessage<Payment>[]): Promise<void> =>
    inbox.handle(batch, {
      id: (message) => String(message.data.id),
      async apply(fresh, transaction) {
        for (const { data } of fresh) {
          await transaction.query("update balance set cents = cents + $1", [data.cents]);
        }
      },
    });
  return { ...database, inbox, pay };
}

const balance = async ({ rows }: TestDatabase): Promise<number> =>
  (await rows("select cents from balance"))[0].cents;

const payments = (...all: [id: number, cents: number][]): FakeMessage<Payment>[] =>
  messages(all.map(([id, cents]) => ({ id, cents })));

describeWith("postgres", "postgresInbox", () => {
  it("applies each message once, however often it comes", async () => {
    const database = await balances();
    await database.pay(payments([1, 10], [2, 20]));
    await database.pay(payments([2, 20], [3, 30], [3, 30]));
    await database.pay(payments([1, 10]));
    expect(await balance(database)).toBe(60);
  });

  it("applies each message once if two processes get it at the same time", async () => {
    const database = await balances();
    const all = Array.from({ length: 50 }, (_, id): [number, number] => [id, 1]);
    const batches = Array.from({ length: 8 }, (_, index) =>
      payments(...(index % 2 === 0 ? all : all.toReversed())),
    );
    await Promise.all(batches.map((batch) => database.pay(batch)));
    expect(await balance(database)).toBe(50);
  });

  it("remembers nothing of a batch that failed, and has none of its effects", async () => {
    const database = await balances();
    const failing = database.inbox.handle(payments([1, 10]), {
      id: ({ data }) => String(data.id),
      async apply(_, transaction) {
        await transaction.query("update balance set cents = 10");
        throw new Error("changed its mind");
      },
    });
    await expect(failing).rejects.toThrow("changed its mind");
    expect(await balance(database)).toBe(0);
    await database.pay(payments([1, 10]));
    expect(await balance(database)).toBe(10);
  });

  it("fails the one message the server refuses, applies the others, and does not remember it", async () => {
    const database = await balances();
    const batch = payments([1, 10], [2, 2000], [3, 30]);
    await database.pay(batch);
    expect(batch.map(({ failure }) => failure?.code)).toEqual([undefined, "23514", undefined]);
    expect(await balance(database)).toBe(40);
    await database.pay(payments([1, 10], [2, 20], [3, 30]));
    expect(await balance(database)).toBe(60);
  });

  it("does not take a transaction for done in which an error was swallowed", async () => {
    const database = await balances();
    const swallowing = database.inbox.handle(payments([1, 10]), {
      id: ({ data }) => String(data.id),
      async apply(_, transaction) {
        await transaction.query("no SQL").catch(() => undefined);
      },
    });
    await expect(swallowing).rejects.toThrow("rolled back");
    await database.pay(payments([1, 10]));
    expect(await balance(database)).toBe(10);
  });

  it("gives up work that takes too long, and undoes it", async () => {
    const database = await balances({ timeout: 200 });
    const hanging = database.inbox.handle(payments([1, 10]), {
      id: ({ data }) => String(data.id),
      async apply(_, transaction) {
        await transaction.query("update balance set cents = 10");
        await transaction.query("select pg_sleep(60)");
      },
    });
    const error = await hanging.catch((reason: unknown) => reason);
    expect(retryable(error)).toBe(true);
    await database.rows(
      "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid()",
    );
    await database.pay(payments([1, 10]));
    expect(await balance(database)).toBe(10);
  });

  it("remembers for each name apart", async () => {
    const database = await balances();
    await database.pay(payments([1, 10]));
    const other = postgresInbox(database.pool, { name: "other", schema: database.schema });
    let applied = 0;
    await other.handle(payments([1, 10]), { id: () => "1", apply: () => (applied += 1) });
    expect(applied).toBe(1);
  });

  it("fails a message without an id alone", async () => {
    const { inbox } = await balances();
    const batch = messages<Partial<Payment>>([{ id: 1 }, {}, { id: 0 }]);
    const applied: unknown[] = [];
    await inbox.handle(batch, {
      id: ({ data }) => (data.id === 0 ? (0 as never) : data.id!.toString()),
      apply: (fresh) => applied.push(...fresh),
    });
    expect(applied).toEqual([batch[0]]);
    expect(batch.map(({ failure }) => failure?.name)).toEqual([
      undefined,
      "TypeError",
      "TypeError",
    ]);
  });

  it.each(["half a pair \ud800", "a\0b", "", "x".repeat(1025)])(
    "fails a message whose id the server would not give back as it was: %j",
    async (id) => {
      const { inbox } = await balances();
      const batch = messages([id, "other"]);
      const applied: unknown[] = [];
      await inbox.handle(batch, {
        id: ({ data }) => data,
        apply: (fresh) => applied.push(...fresh.map(({ data }) => data)),
      });
      expect(applied).toEqual(["other"]);
      expect(batch.map(({ failure }) => failure?.name)).toEqual(["TypeError", undefined]);
    },
  );

  it("forgets what is older than it is told", async () => {
    const database = await balances();
    await database.pay(payments([1, 10], [2, 20]));
    await database.rows("update inbox set at = at - interval '1 day' where id = '1'");
    expect(await database.inbox.purge({ olderThan: 3_600_000 })).toBe(1);
    await database.pay(payments([1, 10], [2, 20]));
    expect(await balance(database)).toBe(40);
  });

  it("writes rows of a batch insert in its transaction, in a pipeline whose source repeats itself", async () => {
    const { pool, schema, rows } = await testDatabase(TABLE);
    const inbox = postgresInbox(pool, { name: "seen", schema });
    const seen = batchInsert(pool, { table: "seen", columns: { id: "integer", cents: "integer" } });
    const ids = Array.from({ length: 500 }, (_, index) => index % 200);
    let broken = 0;
    const pipeline = definePipeline({
      name: "payments",
      producer: fromIterable(ids),
      processor: { handle: (message) => message.to("seen", { id: message.data, cents: 1 }) },
      batchers: {
        seen: {
          size: 30,
          concurrency: 4,
          retry: retry({ attempts: 9, backoff: constant(1), when: retryable }),
          handle: (messages) =>
            inbox.handle(messages, {
              id: (message) => `${message.data.id}`,
              async apply(fresh, transaction) {
                await seen.insert(
                  fresh.map((message) => message.data),
                  transaction,
                );
                broken += 1;
                if (broken % 3 === 0)
                  throw Object.assign(new Error("a deadlock"), { code: "40P01" });
              },
            }),
        },
      },
    });
    const running = await pipeline.start();
    expect(await running.done).toMatchObject({ received: 500, succeeded: 500 });
    expect(await rows("select id from seen order by id")).toEqual(
      Array.from({ length: 200 }, (_, id) => ({ id })),
    );
  });

  it("creates its tables once, whoever comes first", async () => {
    const { pool, schema, rows } = await testDatabase();
    const opened = Array.from({ length: 8 }, () =>
      postgresInbox(pool, { name: "a", schema }).open(),
    );
    await Promise.all(opened);
    expect(await rows("select name from meta")).toHaveLength(2);
  });

  it("leaves the tables of a newer release alone", async () => {
    const { pool, schema, rows } = await testDatabase();
    await postgresInbox(pool, { name: "a", schema }).open();
    await rows("update meta set value = '2' where name = 'version'");
    await expect(postgresInbox(pool, { name: "a", schema }).open()).rejects.toThrow(
      "newer release",
    );
  });
});
