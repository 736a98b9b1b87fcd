import { expect, it } from "vitest";
import { describeWith } from "test-servers/vitest";
import { batchInsert } from "@westend/postgres";
import { testDatabase } from "./support/database.ts";
import { COLUMNS, reasonOf, TABLE } from "./support/orders.ts";

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
