import { definePipeline, fromIterable, retry } from "westend";
import { expect, it } from "vitest";
import { describeWith } from "test-servers/vitest";
import {
  batchInsert,
  type PostgresConnection,
  type PostgresPool,
  retryable,
} from "@westend/postgres";
import { testDatabase, type TestDatabase } from "./support/database.ts";
import { messages } from "./support/messages.ts";
import { COLUMNS, orders, reasonOf, row, TABLE } from "./support/orders.ts";

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
describeWith("postgres", "a batch of batchInsert that cannot be written", () => {
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
});
