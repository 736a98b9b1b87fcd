import type { Message } from "westend";
import { checkVersion, tableOf } from "./catalogue.ts";
import { checkInsertOptions } from "./check-options.ts";
import { execute, type PostgresTarget, type PostgresTransaction } from "./client.ts";
import type { Columns, RowOf } from "./column-types.ts";
import { Database, type Run } from "./database.ts";
import { explain } from "./failures.ts";
import { InsertPlan, type EncodedRow } from "./insert-plan.ts";
import { isolate, type Fault } from "./isolate.ts";
import type { BatchInsertOptions } from "./options.ts";
import { quote } from "./quote.ts";
import { isRowFault, rowErrorOf } from "./row-error.ts";

export interface InsertResult {
  /**
   * Rows that were not there before. In a partitioned table or a view, with `onConflict: "replace"`: that were not there when the statement
   * began; what another connection writes at the same moment counts twice.
   */
  readonly inserted: number;
  /** Rows that were there: left, or overwritten. */
  readonly known: number;
  /** What `returning` asked for, of the rows that were written; in no order. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** Writes batches of rows. */
export interface BatchInsert<Row extends object> {
  /**
   * Looks at the table now, to learn early that rows do not fit it; else the first batch does.
   * @throws ConfigurationError if the server is too old, or the table or a column is missing or of another type.
   */
  open(): Promise<void>;
  /**
   * Writes all rows, or none.
   * @param transaction where to write them; a connection on which a transaction was begun, as {@link PostgresInbox} gives one
   * @throws RowError that names the first row that does not fit the table.
   */
  insert(rows: readonly Row[], transaction?: PostgresTransaction): Promise<InsertResult>;
  /**
   * Writes the data of a batch's messages, in one transaction. A message whose row does not fit is failed alone, with a {@link RowError}
   * as its reason; the others are written. Give it to a batcher as its `handle`.
   */
  readonly handle: (messages: readonly Message<Row>[]) => Promise<void>;
}

interface Numbered {
  readonly index: number;
  readonly row: EncodedRow;
}

/**
 * Inserts rows by batches: one prepared statement whatever their number, fit to be repeated.
 * @example
 * ```ts
 * const events = batchInsert(pool, {
 *   table: "events",
 *   columns: { id: "bigint", user: "text", at: "timestamptz", note: "text | null" },
 *   key: ["id"],
 *   onConflict: "ignore",
 * });
 * await events.open();
 * // batchers: { events: { size: 100, timeout: 500, retry: retry({ attempts: 20, when: retryable }), handle: events.handle } }
 * ```
 * @throws ConfigurationError that lists every mistake in the options.
 */
export function batchInsert<const Of extends Columns>(
  target: PostgresTarget,
  options: BatchInsertOptions<Of>,
): BatchInsert<RowOf<Of>> {
  checkInsertOptions(target, options);
  return new Sink(target, options as unknown as BatchInsertOptions);
}

class Sink<Row extends object> implements BatchInsert<Row> {
  readonly #database: Database;
  readonly #options: BatchInsertOptions;
  #opening: Promise<InsertPlan> | undefined;
  #ready: InsertPlan | undefined;

  constructor(target: PostgresTarget, options: BatchInsertOptions) {
    this.#database = new Database(target, options.timeout);
    this.#options = options;
  }

  async open(): Promise<void> {
    await this.#plan();
  }

  async insert(rows: readonly Row[], transaction?: PostgresTransaction): Promise<InsertResult> {
    if (rows.length === 0) return { inserted: 0, known: 0, rows: [] };
    const plan = await this.#plan(transaction);
    const encoded = rows.map((row, index) => ({ index, row: plan.encode(row, index) }));
    const written = new Written(plan);
    if (transaction === undefined) {
      await this.#write(encoded, written, ([fault]) => {
        if (fault !== undefined) throw rowErrorOf(fault.error, fault.item.index);
      });
    } else {
      await written.add(encoded, async (statement) => execute(transaction, statement)).catch(blame);
    }
    return written.result(rows.length);
  }

  readonly handle = async (messages: readonly Message<Row>[]): Promise<void> => {
    const plan = await this.#plan();
    const encoded: Numbered[] = [];
    for (const [index, message] of messages.entries()) {
      try {
        encoded.push({ index, row: plan.encode(message.data, index) });
      } catch (error) {
        message.fail(rowErrorOf(error, undefined));
      }
    }
    if (encoded.length === 0) return;
    let faults: readonly Fault<Numbered>[] = [];
    await this.#write(encoded, new Written(plan), (found) => void (faults = found));
    for (const { item, error } of faults) messages[item.index]?.fail(rowErrorOf(error, undefined));
  };

  /** All rows at once; if one is to blame for an error, again without it. `judge` may still refuse what then was written. */
  async #write(
    rows: readonly Numbered[],
    written: Written,
    judge: (faults: readonly Fault<Numbered>[]) => void,
  ): Promise<void> {
    try {
      await written.add(rows, (statement) => this.#database.query(statement));
      return;
    } catch (error) {
      if (!isRowFault(error)) throw explain(error);
    }
    await this.#database.transaction(async (session) => {
      judge(
        await isolate(session, rows, (part) =>
          written.add(part, (statement) => session.query(statement)),
        ),
      );
    });
  }

  async #plan(transaction?: PostgresTransaction): Promise<InsertPlan> {
    if (this.#ready !== undefined) return this.#ready;
    try {
      // By the transaction's own connection: there may be no other left in the pool.
      if (transaction !== undefined) {
        return await this.#prepare(async (statement) => execute(transaction, statement));
      }
      this.#opening ??= this.#database
        .use((session) => this.#prepare(session.query))
        .finally(() => (this.#opening = undefined));
      return await this.#opening;
    } catch (error) {
      throw explain(error);
    }
  }

  async #prepare(run: Run): Promise<InsertPlan> {
    const { table, schema, columns } = this.#options;
    const name = `${schema === undefined ? "" : `${quote(schema)}.`}${quote(table)}`;
    await checkVersion(run, "batchInsert");
    const found = await tableOf(run, "batchInsert", name, columns);
    const plan = new InsertPlan(found, this.#options);
    await run({ ...plan.statement([]), name: undefined, text: `explain ${plan.text}` });
    this.#ready = plan;
    return plan;
  }
}

/** What has been written so far. */
class Written {
  readonly #plan: InsertPlan;
  #inserted = 0;
  #rows: Readonly<Record<string, unknown>>[] = [];

  constructor(plan: InsertPlan) {
    this.#plan = plan;
  }

  async add(rows: readonly Numbered[], run: Run): Promise<void> {
    const distinct = this.#plan.distinct(rows.map(({ row }) => row));
    const result = await run(this.#plan.statement(distinct));
    this.#inserted += this.#plan.inserted(result);
    this.#rows.push(...this.#plan.returned(result));
  }

  result(count: number): InsertResult {
    return { inserted: this.#inserted, known: count - this.#inserted, rows: this.#rows };
  }
}

function blame(error: unknown): never {
  throw isRowFault(error) ? rowErrorOf(error, undefined) : explain(error);
}
