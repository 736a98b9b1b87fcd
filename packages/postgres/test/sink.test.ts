import { expect, it, onTestFinished } from "vitest";
import { describeWith } from "test-servers/vitest";
import { batchInsert } from "@westend/postgres";
import { testDatabase } from "./support/database.ts";
import { messages } from "./support/messages.ts";
import { COLUMNS, orders, reasonOf, row, TABLE } from "./support/orders.ts";

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
