import { definePipeline, fromIterable, retry } from "westend";
import { expect, it, onTestFinished } from "vitest";
import { describeWith } from "test-servers/vitest";
import {
  batchInsert,
  type BatchInsertOptions,
  type PostgresConnection,
  type PostgresPool,
  retryable,
} from "@westend/postgres";
import { testDatabase, type TestDatabase } from "./support/database.ts";
import { messages } from "./support/messages.ts";

const TABLE = `create domain percent as smallint check (value between 0 and 100);
  create type mood as enum ('good', 'bad');
  create table "or""ders" (
    id bigint primary key, cents integer not null check (cents >= 0), rate double precision, note varchar(5),
    raw bytea, paid boolean, price numeric(6, 2), day date, at timestamptz, local timestamp, ref uuid, data jsonb, plain json,
    tags text[], sizes integer[], documents jsonb[], share percent, mood mood, made text not null default 'here')`;

const COLUMNS = { id: "bigint", cents: "integer", note: "text | null" } as const;

async function orders(options: Partial<BatchInsertOptions<typeof COLUMNS>> = {}) {
  const database = await testDatabase(TABLE);
  const sink = batchInsert(database.pool, { table: 'or"ders', columns: COLUMNS, ...options });
  const rows = (): Promise<any[]> =>
    database.rows(`select id::int, cents, note from "or""ders" order by id`);
  return { ...database, sink, rows };
}

const row = (id: number, cents = 1) => ({ id, cents });

const reasonOf = (work: Promise<unknown>): Promise<any> =>
  work.then(
    () => new Error("it was taken"),
    (reason: unknown) => reason,
  );

/** The pool, and how many statements were sent through it. */
function counted({ pool }: TestDatabase): { target: PostgresPool; statements(): number } {
  let count = 0;
  const connect = async (): Promise<PostgresConnection> => {
    const client = await pool.connect();
    return {
      query: (statement) => ((count += 1), client.query(statement as { text: string })),
      release: (destroy) => client.release(destroy),
      on: () => undefined,
      removeListener: () => undefined,
    };
  };
  return {
    target: { totalCount: 0, connect, on: () => undefined },
    statements: () => count,
  };
}

describeWith("postgres", "batchInsert", () => {
  it("writes every kind of value there is, and reads back what was given", async () => {
    const { pool, rows } = await testDatabase(TABLE);
    const sink = batchInsert(pool, {
      table: 'or"ders',
      columns: {
        id: "bigint",
        cents: "integer",
        rate: "double precision | null",
        note: "text | null",
        raw: "bytea | null",
        paid: "boolean | null",
        price: "numeric | null",
        day: "date | null",
        at: "timestamptz | null",
        local: "timestamp | null",
        ref: "uuid | null",
        data: "jsonb | null",
        plain: "json | null",
        tags: "text[] | null",
        sizes: "integer[] | null",
        documents: "jsonb[] | null",
        share: "smallint | null",
        mood: "text | null",
      },
    });
    await sink.insert([
      {
        id: 9_223_372_036_854_775_807n,
        cents: -0,
        rate: Number.NaN,
        note: `"\\,{`,
        raw: new Uint8Array([0, 255, 92]),
        paid: false,
        price: "1234.50",
        day: "2024-02-29",
        at: new Date("2024-02-29T12:00:00.123Z"),
        local: new Date("2024-02-29T12:00:00.123Z"),
        ref: "7c9e6679-7425-40de-944b-e07fc1f90ae7",
        data: [[1, 'a"\\b'], { NULL: null }],
        plain: "text",
        tags: ["", "NULL", "a,b", 'c"d', "e\\f", null, "{}"],
        sizes: [],
        documents: [{ a: [1] }, null, [2]],
        share: 100,
        mood: "good",
      },
      { id: "2", cents: 1, tags: null },
    ]);
    const [second, first] = await rows(
      `select *, local::text as local, day::text as day, to_json(documents) as documents from "or""ders" order by id`,
    );
    expect(first).toEqual({
      id: "9223372036854775807",
      cents: 0,
      rate: Number.NaN,
      note: `"\\,{`,
      raw: Buffer.from([0, 255, 92]),
      paid: false,
      price: "1234.50",
      day: "2024-02-29",
      at: new Date("2024-02-29T12:00:00.123Z"),
      local: "2024-02-29 12:00:00.123",
      ref: "7c9e6679-7425-40de-944b-e07fc1f90ae7",
      data: [[1, 'a"\\b'], { NULL: null }],
      plain: "text",
      tags: ["", "NULL", "a,b", 'c"d', "e\\f", null, "{}"],
      sizes: [],
      documents: [{ a: [1] }, null, [2]],
      share: 100,
      mood: "good",
      made: "here",
    });
    expect(second).toMatchObject({ id: "2", cents: 1, note: null, tags: null, made: "here" });
  });

  it("does nothing the second time a batch is written, and says how many rows were new", async () => {
    const { sink, rows } = await orders({ onConflict: "ignore", key: ["id"] });
    expect(await sink.insert([row(1), row(2)])).toMatchObject({ inserted: 2, known: 0 });
    const again = await sink.insert([row(1, 9), row(2), row(3)]);
    expect(again).toMatchObject({ inserted: 1, known: 2 });
    expect(await rows()).toMatchObject([row(1), row(2), row(3)]);
  });

  it("overwrites rows by their key, and of several with one key in a batch keeps the last", async () => {
    const { sink, rows } = await orders({ onConflict: "replace", key: ["id"] });
    await sink.insert([row(1)]);
    const result = await sink.insert([row(2), row(1, 2), row(2, 3)]);
    expect(result).toEqual({ inserted: 1, known: 2, rows: [] });
    expect(await rows()).toMatchObject([row(1, 2), row(2, 3)]);
  });

  it("keeps the last of several spellings of one key", async () => {
    const { pool, rows } = await testDatabase("create table t (at date primary key, n integer)");
    const sink = batchInsert(pool, {
      table: "t",
      columns: { at: "date", n: "integer" },
      key: ["at"],
      onConflict: "replace",
    });
    await sink.insert([
      { at: "2024-01-02", n: 1 },
      { at: "2 Jan 2024", n: 2 },
    ]);
    expect(await rows("select n from t")).toEqual([{ n: 2 }]);
  });

  it.each([
    [
      "a partitioned table",
      `create table t (id integer primary key, note text) partition by range (id);
        create table low partition of t for values from (0) to (10);
        create table high (note text, id integer not null);
        alter table t attach partition high for values from (10) to (20)`,
    ],
    [
      "a view",
      `create table real (id integer primary key, note text);
        create view t as select * from real where id between 0 and 19 with check option`,
    ],
  ])("overwrites rows of %s, and finds the one that is not for it", async (_, sql) => {
    const { pool, rows } = await testDatabase(sql);
    const sink = batchInsert(pool, {
      table: "t",
      columns: { id: "integer", note: "text" },
      key: ["id"],
      onConflict: "replace",
      returning: ["id"],
    });
    await sink.insert([{ id: 1, note: "a" }]);
    const batch = [12, 1, 13].map((id) => ({ id, note: `b${id}` }));
    const result = await sink.insert(batch);
    expect(result).toMatchObject({ inserted: 2, known: 1 });
    expect(result.rows.toSorted((a, b) => Number(a["id"]) - Number(b["id"]))).toEqual([
      { id: 1 },
      { id: 12 },
      { id: 13 },
    ]);
    const stray = messages([
      { id: 2, note: "c" },
      { id: 99, note: "c" },
    ]);
    await sink.handle(stray);
    expect(stray.map(({ failure }) => failure?.name)).toEqual([undefined, "RowError"]);
    expect(await rows("select id, note from t order by id")).toEqual([
      { id: 1, note: "b1" },
      { id: 2, note: "c" },
      { id: 12, note: "b12" },
      { id: 13, note: "b13" },
    ]);
  });

  it("gives what the server made of new rows", async () => {
    const { pool } = await testDatabase(
      "create table t (id bigserial primary key, name text unique)",
    );
    const sink = batchInsert(pool, {
      table: "t",
      columns: { name: "text" },
      key: ["name"],
      onConflict: "ignore",
      returning: ["id", "name"],
    });
    await sink.insert([{ name: "a" }]);
    expect((await sink.insert([{ name: "a" }, { name: "b" }])).rows).toEqual([
      { id: "3", name: "b" },
    ]);
  });

  it("writes all rows of a batch or none, and names the first that does not fit", async () => {
    const { sink, rows } = await orders();
    const error = await reasonOf(sink.insert([row(1), row(2), row(3, -4711), row(4, -1)]));
    expect(error).toMatchObject({ name: "RowError", row: 2, code: "23514" });
    expect(error.constraint).toBe('or"ders_cents_check');
    expect(error.message).not.toContain("4711");
    expect(await rows()).toEqual([]);
  });

  it.each([
    [{ cents: "4711" }, 'column "cents" takes a whole number of 32 bits, got string'],
    [{ cents: 4711.5 }, 'column "cents" takes a whole number of 32 bits, got another number'],
    [{ cents: 2 ** 31 }, "another number"],
    [{ cents: undefined }, 'column "cents" is required, got undefined'],
    [{ id: 2 ** 53 }, 'column "id" takes a bigint of 64 bits'],
    [{ id: "4711x" }, 'column "id" takes a bigint of 64 bits'],
    [{ note: 4711 }, 'column "note" takes text'],
    [{ note: "47\u000011" }, 'column "note" takes text without NUL'],
    [{ note: "4711\ud800" }, 'column "note" takes text without NUL'],
    [{ note: "471147" }, "has text that is too long for its column (SQLSTATE 22001)"],
    [{ id: 1 }, 'has a key that is taken: "or\\"ders_pkey" (SQLSTATE 23505)'],
  ])("names the row and what is wrong with %o, not the value", async (change, problem) => {
    const { sink, rows } = await orders();
    const bad = { ...row(2), ...change } as never;
    const error = await reasonOf(sink.insert([row(1), bad]));
    expect(error).toMatchObject({ name: "RowError", row: 1 });
    expect(error.message).toContain("Row 1");
    expect(error.message).toContain(problem);
    expect(`${error.stack} ${JSON.stringify(error)} ${error.cause}`).not.toContain("4711");
    expect(await rows()).toEqual([]);
  });

  it("fails the one message of ten thousand whose row does not fit, and writes the others", async () => {
    const database = await orders();
    const { target, statements } = counted(database);
    const sink = batchInsert(target, { table: 'or"ders', columns: COLUMNS });
    const batch = messages(
      Array.from({ length: 10_000 }, (_, id) => row(id, id === 6_789 ? -1 : id)),
    );
    await sink.handle(batch);
    const failed = batch.filter(({ failure }) => failure !== undefined);
    expect(failed.map(({ data, failure }) => [data.id, failure.code])).toEqual([[6_789, "23514"]]);
    expect(await database.rows()).toHaveLength(9_999);
    // Two writes for each halving, each with a savepoint and what becomes of it.
    expect(statements()).toBeLessThan(2 * Math.log2(10_000) * 4);
  });

  it("fails every message that is to blame, whoever finds it out, each with its own reason", async () => {
    const { sink, rows } = await orders();
    const batch = messages([
      row(1),
      row(2, -1),
      { ...row(3), note: "too long" },
      { ...row(4), note: 4 as never },
      row(1),
      row(5),
      undefined as never,
    ]);
    await sink.handle(batch);
    expect(batch.map(({ failure }) => failure?.message)).toEqual([
      undefined,
      expect.stringContaining("23514"),
      expect.stringContaining("22001"),
      expect.stringContaining('column "note" takes text'),
      expect.stringContaining("23505"),
      undefined,
      "The row is no object",
    ]);
    expect(await rows()).toMatchObject([row(1), row(5)]);
  });

  it("takes what members of its class say for a row's", async () => {
    const { sink, rows } = await orders();
    class Order {
      readonly id = 1;
      get cents(): number {
        return 2;
      }
      get note(): string {
        return "three";
      }
    }
    await sink.insert([new Order()]);
    expect(await rows()).toEqual([{ id: 1, cents: 2, note: "three" }]);
  });

  it.each([new Error("secret"), undefined, null])(
    "fails the message alone whose row throws %o when it is read",
    async (thrown) => {
      const { sink, rows } = await orders();
      const bad = {
        id: 1,
        get cents(): number {
          throw thrown;
        },
      };
      const batch = messages([bad, row(2)]);
      await sink.handle(batch);
      expect(batch.map(({ failure }) => failure?.message)).toEqual([
        'The row: column "cents" cannot be read: something of it throws',
        undefined,
      ]);
      expect(await rows()).toMatchObject([row(2)]);
    },
  );

  it("finds the row that breaks a constraint checked at the end of the transaction", async () => {
    const { pool, rows } = await testDatabase(`create table parent (id integer primary key);
      insert into parent values (1);
      create table child (id integer, parent integer references parent deferrable initially deferred)`);
    const sink = batchInsert(pool, {
      table: "child",
      columns: { id: "integer", parent: "integer" },
    });
    const batch = messages([1, 2, 3, 4].map((id) => ({ id, parent: id === 3 ? 7 : 1 })));
    await sink.handle(batch);
    expect(batch.map(({ failure }) => failure?.code)).toEqual([
      undefined,
      undefined,
      "23503",
      undefined,
    ]);
    expect(await rows("select id from child order by id")).toEqual([
      { id: 1 },
      { id: 2 },
      { id: 4 },
    ]);
  });

  it("finds the row that a trigger refuses", async () => {
    const { pool, rows } = await testDatabase(`create table t (id integer);
      create function refuse() returns trigger language plpgsql as $$ begin
        if new.id = 2 then raise exception 'not 2'; end if; return new; end $$;
      create trigger refuse before insert on t for each row execute function refuse()`);
    const sink = batchInsert(pool, { table: "t", columns: { id: "integer" } });
    const batch = messages([{ id: 1 }, { id: 2 }, { id: 3 }]);
    await sink.handle(batch);
    expect(batch[1]?.failure.message).toBe(
      "The row was refused by a trigger or a function (SQLSTATE P0001)",
    );
    expect(await rows("select * from t")).toHaveLength(2);
  });

  it("takes a new connection for another try if its server can only be read by now", async () => {
    const { another, schema, rows } = await testDatabase(TABLE);
    const pool = another({ max: 1 });
    const sink = batchInsert(pool, { schema, table: 'or"ders', columns: COLUMNS });
    await sink.open();
    await pool.query("set session characteristics as transaction read only");
    const error = await reasonOf(sink.insert([row(1)]));
    expect([error.code, retryable(error)]).toEqual(["25006", true]);
    await sink.insert([row(1)]);
    expect(await rows('select cents from "or""ders"')).toEqual([{ cents: 1 }]);
  });

  it("prepares its statement again on a new connection if a column that it returns was altered", async () => {
    const { another, schema, rows } = await testDatabase(TABLE);
    const pool = another({ max: 1 });
    const returning = ["made"];
    const sink = batchInsert(pool, { schema, table: 'or"ders', columns: COLUMNS, returning });
    await sink.insert([row(1)]);
    await rows('alter table "or""ders" alter made type varchar(100)');
    const error = await reasonOf(sink.insert([row(2)]));
    expect([error.code, retryable(error)]).toEqual(["0A000", true]);
    expect(await sink.insert([row(2)])).toMatchObject({ rows: [{ made: "here" }] });
  });

  it("leaves it to the retry policy if the table is to blame, and fails no message", async () => {
    const { sink, pool } = await orders();
    await sink.open();
    await pool.query('drop table "or""ders"');
    const batch = messages([row(1), row(2)]);
    const error = await reasonOf(sink.handle(batch));
    expect(error).toMatchObject({ code: "WESTEND_ERR_CONFIGURATION" });
    expect(error.message).toContain("It was dropped or renamed");
    expect(batch.every(({ failure }) => failure === undefined)).toBe(true);
  });

  it("ends the pipeline instead of making dead letters of everything if its table is missing", async () => {
    const { pool } = await testDatabase("");
    const sink = batchInsert(pool, { table: "ordrs", columns: COLUMNS });
    let letters = 0;
    const pipeline = definePipeline({
      name: "orders",
      producer: fromIterable([row(1), row(2)]),
      processor: { handle: (message) => message.to("orders", { ...message.data, note: null }) },
      batchers: {
        orders: {
          timeout: 10,
          retry: retry({ attempts: 5, when: retryable }),
          handle: sink.handle,
        },
      },
      deadLetter: { name: "letters", write: (failed) => void (letters += failed.length) },
    });
    const running = await pipeline.start();
    const error = await reasonOf(running.done);
    expect(error).toMatchObject({ code: "WESTEND_ERR_CONFIGURATION" });
    expect(error.message).toContain('"ordrs"');
    expect(letters).toBe(0);
  });

  it("writes in a transaction of the user's", async () => {
    const { sink, pool, rows } = await orders();
    const client = await pool.connect();
    onTestFinished(() => client.release());
    await client.query("begin");
    expect(await sink.insert([row(1)], client)).toMatchObject({ inserted: 1 });
    expect(await rows()).toEqual([]);
    expect(await reasonOf(sink.insert([row(1)], client))).toMatchObject({ code: "23505" });
    await client.query("rollback");
    expect(await rows()).toEqual([]);
  });

  it("writes batches one after the other where there is a single connection", async () => {
    const { pool, rows } = await orders();
    const client = await pool.connect();
    onTestFinished(() => client.release());
    const bare = { query: (statement: object) => client.query(statement as { text: string }) };
    const sink = batchInsert(bare, { table: 'or"ders', columns: COLUMNS });
    const batches = [1, 2, 3].map((n) => messages([row(n), row(n + 10, -1), row(n + 20)]));
    await Promise.all(batches.map((batch) => sink.handle(batch)));
    expect(await rows()).toHaveLength(6);
  });

  it("does not take names for SQL", async () => {
    const { pool } = await orders();
    const evil = 'id) values (1); drop table x; --"';
    const table = batchInsert(pool, { table: evil, columns: { id: "bigint" } });
    await expect(table.open()).rejects.toThrow("a table of this database");
    const column = batchInsert(pool, { table: 'or"ders', columns: { [evil]: "bigint" } });
    await expect(column.open()).rejects.toThrow("a column of the table");
  });

  it("finds a table by its schema", async () => {
    const { another, schema, rows } = await testDatabase("create table t (id integer)");
    const elsewhere = another({ options: "-c search_path=public" });
    const sink = batchInsert(elsewhere, { table: "t", schema, columns: { id: "integer" } });
    await sink.insert([{ id: 1 }]);
    expect(await rows(`select id from "${schema}".t`)).toEqual([{ id: 1 }]);
  });
});

describeWith("postgres", "opening a batchInsert", () => {
  it.each<[string, object, RegExp]>([
    [
      "the table is missing",
      { table: "order" },
      /table: expected a table of this database, got "order"/,
    ],
    [
      "a column is missing",
      { columns: { idd: "bigint" } },
      /columns\.idd: expected a column of the table.*It has id/,
    ],
    [
      "types differ",
      { columns: { id: "text", cents: "bigint", tags: "text" } },
      /3 mistakes\n.*columns\.id: expected "bigint", got "text".*\n.*"integer".*\n.*"text\[\]"/,
    ],
    ["a column may not be null", { columns: { cents: "integer | null" } }, /NOT NULL/],
    ["the server makes the column", { table: "made", columns: { id: "bigint" } }, /generates/],
    [
      "the key has no unique index",
      { key: ["cents"], onConflict: "ignore" },
      /key: .*unique index/,
    ],
  ])("says so if %s", async (_, change, message) => {
    const { pool } = await testDatabase(
      `${TABLE}; create table made (id bigint generated always as identity)`,
    );
    const sink = batchInsert(pool, { table: 'or"ders', columns: COLUMNS, ...change });
    const error = await reasonOf(sink.open());
    expect(error).toMatchObject({ code: "WESTEND_ERR_CONFIGURATION" });
    expect(error.message).toMatch(message);
  });

  it("says so if the user may not write", async () => {
    const { pool, schema } = await testDatabase("create table t (id integer)");
    await pool.query(`create role "${schema}"; grant usage on schema "${schema}" to "${schema}"`);
    const client = await pool.connect();
    await client.query(`set role "${schema}"`);
    const sink = batchInsert(client, { table: "t", columns: { id: "integer" } });
    const error = await reasonOf(sink.open());
    await client.query("reset role");
    client.release();
    await pool.query(`drop owned by "${schema}"; drop role "${schema}"`);
    expect(error).toMatchObject({ code: "WESTEND_ERR_CONFIGURATION" });
    expect(error.message).toContain("Grant what is missing");
  });

  it("says so if the server is too old", async () => {
    const old = {
      query: () => Promise.resolve({ rows: [{ number: 120_022, version: "12.22" }] }),
    };
    const sink = batchInsert(old, { table: "t", columns: { id: "integer" } });
    await expect(sink.open()).rejects.toThrow("expected PostgreSQL 13 or newer, got 12.22");
  });

  it("looks again at the next batch if the look has failed", async () => {
    const { pool, rows } = await testDatabase();
    const sink = batchInsert(pool, { table: "t", columns: { id: "integer" } });
    await expect(sink.insert([{ id: 1 }])).rejects.toThrow("a table of this database");
    await pool.query("create table t (id integer)");
    await sink.insert([{ id: 1 }]);
    expect(await rows("select * from t")).toHaveLength(1);
  });

  it("lists every mistake in the options at once", () => {
    const options = { table: "", columns: { id: "bigin" }, onConflict: "replace", unknown: 1 };
    expect(() => batchInsert({} as never, options as never)).toThrow(/5 mistakes/);
    const keyed = { table: "t", columns: { id: "bigint" }, key: ["idd"] };
    expect(() => batchInsert({ query: () => 0 } as never, keyed as never)).toThrow(/idd/);
  });
});
