import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { batchInsert, type BatchInsert, type BatchInsertOptions, type Row } from "@westend/sqlite";
import { file } from "./support/fixtures.ts";

const TABLE = `CREATE TABLE "or""ders" (
  id TEXT PRIMARY KEY, cents INTEGER NOT NULL, rate REAL, note TEXT DEFAULT 'none', raw BLOB, anything,
  CHECK (cents >= 0))`;

function tableOf(sql: string = TABLE) {
  const path = file();
  const database = new DatabaseSync(path);
  onTestFinished(() => database.close());
  database.exec(sql);
  const insertOf = (options: Partial<BatchInsertOptions> = {}) => {
    const insert = batchInsert(path, { table: 'or"ders', ...options });
    onTestFinished(() => insert.close());
    return insert;
  };
  const rows = (): unknown[] => database.prepare('SELECT * FROM "or""ders" ORDER BY id').all();
  return { path, database, insertOf, rows };
}

const row = (id: string, changes: Row = {}) => ({ id, cents: 1, ...changes });

describe("batchInsert", () => {
  it("writes every kind of value SQLite has", async () => {
    const { insertOf, rows } = tableOf();
    const full = {
      id: "a",
      cents: 12n,
      rate: 0.5,
      note: "n",
      raw: new Uint8Array([1]),
      anything: 3,
    };
    expect(await insertOf().insert([full, row("b")])).toEqual({ inserted: 2, known: 0 });
    expect(rows()).toEqual([
      { ...full, cents: 12 },
      { id: "b", cents: 1, rate: null, note: null, raw: null, anything: null },
    ]);
  });

  it("leaves columns that are not named to their defaults", async () => {
    const { insertOf, rows } = tableOf();
    await insertOf({ columns: ["id", "cents"] }).insert([row("a", { note: "ignored" })]);
    expect(rows()).toMatchObject([{ note: "none" }]);
  });

  it("does nothing the second time a batch is written, and says how many rows were new", async () => {
    const { insertOf, rows } = tableOf();
    const orders = insertOf({ onConflict: "ignore", key: ["id"] });
    expect(await orders.insert([row("a"), row("b")])).toEqual({ inserted: 2, known: 0 });
    expect(await orders.insert([row("a", { cents: 9 }), row("b"), row("c")])).toEqual({
      inserted: 1,
      known: 2,
    });
    expect(rows()).toMatchObject([row("a"), row("b"), row("c")]);
  });

  it("overwrites rows by their key", async () => {
    const { insertOf, rows } = tableOf();
    const orders = insertOf({ onConflict: "replace", key: ["id"], columns: ["id", "cents"] });
    await orders.insert([row("a")]);
    expect(await orders.insert([row("a", { cents: 2 }), row("b"), row("b", { cents: 3 })])).toEqual(
      {
        inserted: 1,
        known: 2,
      },
    );
    expect(rows()).toMatchObject([row("a", { cents: 2, note: "none" }), row("b", { cents: 3 })]);
  });

  it("writes all rows of a batch or none", async () => {
    const { insertOf, rows } = tableOf();
    await expect(insertOf().insert([row("a"), row("b", { cents: -1 })])).rejects.toThrow(
      "Row 1 breaks a constraint of the table",
    );
    expect(rows()).toEqual([]);
  });

  it.each<[Row, string]>([
    [row("a", { cents: "4711" }), 'column "cents" takes whole numbers of 64 bits, got string'],
    [row("a", { cents: 1.5 }), 'column "cents" takes whole numbers of 64 bits, got another number'],
    [
      row("a", { cents: 4711n ** 9n }),
      'column "cents" takes whole numbers of 64 bits, got a longer bigint',
    ],
    [row("a", { rate: 4711n }), 'column "rate" takes finite numbers, got bigint'],
    [row("a", { cents: undefined }), 'column "cents" is required, got undefined'],
    [row("a", { rate: NaN }), 'column "rate" takes finite numbers, got another number'],
    [row("a", { note: 4711 }), 'column "note" takes text, got another number'],
    [row("a", { note: "4711 \ud800" }), 'column "note" takes text, got half of a surrogate pair'],
    [row("a", { raw: "4711" }), 'column "raw" takes bytes, got string'],
    [
      row("a", { anything: true as never }),
      'column "anything" takes text, bytes, finite numbers or bigints of 64 bits, got boolean',
    ],
    [row("a", { anything: -(2n ** 63n) - 1n }), "bigints of 64 bits, got a longer bigint"],
    [row("a", { anything: { secret: 4711 } as never }), "got object"],
    [row("a", { extra: 4711 }), 'column "extra" is not in the table'],
  ])("names the row and the column of %o, not the value", async (bad, problem) => {
    const { insertOf, rows } = tableOf();
    const error: Error = await insertOf()
      .insert([row("good"), bad])
      .then(
        () => new Error("it was taken"),
        (reason: Error) => reason,
      );
    expect(error).toMatchObject({ name: "RowError", row: 1 });
    expect(error.message).toContain(`Row 1`);
    expect(error.message).toContain(problem);
    expect(error.message).not.toContain("4711");
    expect(rows()).toEqual([]);
  });

  it.each([2n ** 63n - 1n, -(2n ** 63n)])("writes %d, which has 64 bits", async (anything) => {
    const { database, insertOf } = tableOf();
    await insertOf().insert([row("a", { anything })]);
    const stored = database.prepare('SELECT CAST(anything AS TEXT) AS text FROM "or""ders"').get();
    expect(stored).toEqual({ text: String(anything) });
  });

  it("takes what members of its class say for a row's", async () => {
    const { insertOf, rows } = tableOf();
    class Order {
      readonly id = "a";
      readonly cents = 1;
      get note(): string {
        return "here";
      }
    }
    const orders = insertOf({ columns: ["id", "cents", "note"] }) as BatchInsert<object>;
    await orders.insert([new Order()]);
    expect(rows()).toMatchObject([{ id: "a", cents: 1, note: "here" }]);
  });

  it("does not take names for SQL", async () => {
    const { insertOf, rows, path } = tableOf();
    await insertOf().insert([row("a")]);
    const evil = 'cents") VALUES (1); DROP TABLE "or""ders"; --';
    await expect(insertOf({ columns: ["id", evil] }).insert([row("b")])).rejects.toThrow("columns");
    const other = batchInsert(path, { table: "x'); DROP TABLE y; --" });
    await expect(other.insert([row("b")])).rejects.toThrow("a table of this database");
    expect(rows()).toHaveLength(1);
  });

  it("takes no key that the table has no unique index of", async () => {
    const { insertOf } = tableOf();
    const orders = insertOf({ onConflict: "ignore", key: ["cents"] });
    await expect(orders.insert([row("a")])).rejects.toMatchObject({
      code: "WESTEND_ERR_CONFIGURATION",
    });
  });

  it("lists every mistake in its options", () => {
    const options = { table: "", columns: [], onConflict: "replace", unknown: 1 };
    expect(() => batchInsert("a.db", options as never)).toThrow(/4 mistakes/);
    expect(() => batchInsert("", { table: "a" })).toThrow(/connection/);
  });

  it("writes through a connection of the user's", async () => {
    const { database, rows } = tableOf();
    const orders = batchInsert<{ id: string; cents: number }>(database, { table: 'or"ders' });
    await orders.insert([{ id: "a", cents: 1 }]);
    await orders.close();
    expect(rows()).toHaveLength(1);
  });
});
