import fc from "fast-check";
import { expect, it } from "vitest";
import { describeWith } from "test-servers/vitest";
import { batchInsert } from "@westend/postgres";
import { testDatabase } from "./support/database.ts";
import { messages } from "./support/messages.ts";

const RUNS = Number(process.env["WESTEND_PROPERTY_RUNS"] ?? 60);

interface Row {
  readonly id: number;
  /** Negative ones are refused by the server, those that are not whole before they get there. */
  readonly n: number;
  readonly note?: string | null;
}

const rows: fc.Arbitrary<Row[]> = fc.array(
  fc.record(
    {
      id: fc.integer({ min: 0, max: 12 }),
      n: fc.constantFrom(1, 2, 3, 3, 4, 5, 6, 7, 8, -1, 1.5),
      note: fc.constantFrom("a", 'b"\\', "NULL", "", "{}", null, "too long"),
    },
    { requiredKeys: ["id", "n"] },
  ),
  { minLength: 1, maxLength: 24, size: "max" },
);

type Mode = "ignore" | "replace" | undefined;

const isSound = ({ n, note }: Row): boolean =>
  Number.isInteger(n) && n >= 0 && (note?.length ?? 0) <= 4;

/** What is to come of a batch, one row after the other; gives those that are to fail. */
function write(table: Map<number, Row>, batch: readonly Row[], mode: Mode): Row[] {
  const failed: Row[] = [];
  for (const row of batch) {
    const known = table.has(row.id);
    if (!isSound(row) || (known && mode === undefined)) failed.push(row);
    else if (!known || mode === "replace") table.set(row.id, row);
  }
  return failed;
}

/** Nobody sees a bad row that a later one of its batch overwrites: it may be written over before the server looks at it. */
const isOverwritten = (row: Row, batch: readonly Row[]): boolean =>
  batch.slice(batch.indexOf(row) + 1).some(({ id, n }) => id === row.id && Number.isInteger(n));

describeWith("postgres", "any batches of good rows, bad ones, and rows that are there", () => {
  it.each<Mode>([undefined, "ignore", "replace"])(
    "leave in the table what rows written one by one would, and fail no other message (onConflict %s)",
    async (onConflict) => {
      expect.hasAssertions();
      const database = await testDatabase(
        "create table t (id integer primary key, n integer not null check (n >= 0), note varchar(4))",
      );
      const sink = batchInsert(database.pool, {
        table: "t",
        columns: { id: "integer", n: "integer", note: "text | null" },
        ...(onConflict === undefined ? {} : { onConflict, key: ["id"] as const }),
      });
      const play = async (batches: Row[][]): Promise<void> => {
        await database.rows("truncate t");
        const table = new Map<number, Row>();
        for (const batch of batches) {
          const failed = write(table, batch, onConflict);
          const given = messages(batch);
          await sink.handle(given);
          for (const { data, failure } of given) {
            if (onConflict === "replace" && !isSound(data) && isOverwritten(data, batch)) continue;
            expect([data, failure?.name]).toEqual([
              data,
              failed.includes(data) ? "RowError" : undefined,
            ]);
          }
          const stored = await database.rows("select id, n, note from t order by id");
          const expected = [...table.values()].map(({ id, n, note = null }) => ({ id, n, note }));
          expect(stored).toEqual(expected.toSorted((a, b) => a.id - b.id));
        }
      };
      const batches = fc.array(rows, { minLength: 1, maxLength: 4 });
      await fc.assert(fc.asyncProperty(batches, play), { numRuns: RUNS });
    },
  );
});
