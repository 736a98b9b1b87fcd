import { systemClock } from "westend";
import { checkInsertOptions } from "./check-options.ts";
import type { SqliteClient, SqliteValue } from "./client.ts";
import { connect, type Connection } from "./connection.ts";
import { InsertPlan } from "./insert-plan.ts";

/** A row to insert: a value for each column; one that is left out is NULL. */
export type Row = Readonly<Record<string, SqliteValue | undefined>>;

export interface BatchInsertOptions {
  readonly table: string;
  /**
   * The columns to fill.
   * @defaultValue all of the table
   */
  readonly columns?: readonly string[] | undefined;
  /**
   * What to do about a row that is there already: leave what is there, or overwrite it. Both make a batch that is written
   * again harmless. Without it such a row is an error.
   */
  readonly onConflict?: "ignore" | "replace" | undefined;
  /**
   * The columns of the unique index by which a row is recognised; needed for `replace`.
   * @defaultValue any unique index of the table
   */
  readonly key?: readonly string[] | undefined;
  /**
   * With a path: `full` survives a power cut, `normal` a crash of the process only.
   * @defaultValue `"full"`
   */
  readonly synchronous?: "full" | "normal" | undefined;
}

export interface InsertResult {
  /** Rows that were not there before. */
  readonly inserted: number;
  /** Rows that were there: left, or overwritten. */
  readonly known: number;
}

/** Writes batches of rows. */
export interface BatchInsert<Each extends object = Row> {
  /**
   * Writes all rows in one transaction, or none.
   * @throws RowError if a row does not fit the table.
   */
  insert(rows: readonly Each[]): Promise<InsertResult>;
  /** Closes the file if this opened it. */
  close(): Promise<void>;
}

const PATIENCE = 30_000;

/**
 * Inserts rows by batches: compiled once, one transaction a batch, fit to be repeated.
 * @example
 * ```ts
 * const orders = batchInsert("shop.db", { table: "orders", key: ["id"], onConflict: "ignore" });
 * // batchers: { orders: { size: 500, async handle(messages) { await orders.insert(messages.map((message) => message.data)); } } }
 * ```
 * @throws ConfigurationError that lists every mistake in the options.
 */
export function batchInsert<Each extends object = Row>(
  target: string | SqliteClient,
  options: BatchInsertOptions,
): BatchInsert<Each> {
  checkInsertOptions(target, options);
  let opening: Promise<Opened> | undefined;
  const open = async (): Promise<Opened> => {
    const connection = await connect({
      ...(typeof target === "string" ? { path: target } : { client: target }),
      synchronous: options.synchronous ?? "full",
      clock: systemClock,
      linger: 0,
      patience: PATIENCE,
    });
    try {
      return {
        connection,
        plan: connection.read(() => new InsertPlan(connection.client, options)),
      };
    } catch (error) {
      await connection.close();
      throw error;
    }
  };
  return {
    async insert(rows) {
      if (rows.length === 0) return { inserted: 0, known: 0 };
      opening ??= open().catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
      const { connection, plan } = await opening;
      const values = rows.map((row, index) => plan.valuesOf(row as Row, index));
      const inserted = await connection.write(() => plan.insert(values), {
        weight: rows.length,
        urgent: true,
      });
      return { inserted, known: rows.length - inserted };
    },
    async close() {
      const opened = await opening?.catch(() => undefined);
      opening = undefined;
      await opened?.connection.close();
    },
  };
}

interface Opened {
  readonly connection: Connection;
  readonly plan: InsertPlan;
}
