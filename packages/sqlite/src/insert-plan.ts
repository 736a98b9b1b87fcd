import { ConfigurationError } from "westend";
import type { SqliteClient, SqliteStatement, SqliteValue } from "./client.ts";
import { bindable, columnsOf, mismatch, quote, type Column } from "./columns.ts";
import { isConstraint } from "./failures.ts";
import { RowError } from "./row-error.ts";
import type { BatchInsertOptions, Row } from "./sink.ts";

/** The statements of one `batchInsert`, compiled for the columns the table has. */
export class InsertPlan {
  readonly #columns: readonly Column[];
  /** Names that a row may have; undefined if others are no mistake. */
  readonly #known: ReadonlySet<string> | undefined;
  readonly #insert: SqliteStatement;
  readonly #update: SqliteStatement | undefined;
  /** Which of a row's values an update takes, in its order: those to set, then the key. */
  readonly #updated: readonly number[];

  /** @throws ConfigurationError if the table has no such columns or no such key. */
  constructor(client: SqliteClient, options: BatchInsertOptions) {
    const { table, onConflict, key = [] } = options;
    this.#columns = columnsOf(client, table, options.columns);
    const names = this.#columns.map(({ name }) => name);
    this.#known = options.columns === undefined ? new Set(names) : undefined;
    const target = key.length === 0 ? "" : ` (${key.map(quote).join(", ")})`;
    const conflict = onConflict === undefined ? "" : ` ON CONFLICT${target} DO NOTHING`;
    this.#insert = compile(
      client,
      `INSERT INTO ${quote(table)} (${names.map(quote).join(", ")}) VALUES (${names.map(() => "?").join(", ")})${conflict}`,
    );
    const set = names.filter((name) => !key.includes(name));
    this.#updated = [...set, ...key].map((name) => names.indexOf(name));
    if (onConflict === "replace" && this.#updated.includes(-1)) throw badKey();
    this.#update =
      onConflict === "replace" && set.length > 0
        ? compile(
            client,
            `UPDATE ${quote(table)} SET ${equal(set, ", ")} WHERE ${equal(key, " AND ")}`,
          )
        : undefined;
  }

  /** @throws RowError if the row does not fit the table. */
  valuesOf(row: Row, index: number): SqliteValue[] {
    if (typeof row !== "object" || row === null)
      throw new RowError(index, undefined, "is no object");
    for (const name of this.#known === undefined ? [] : Object.keys(row)) {
      if (this.#known?.has(name) === false) {
        throw new RowError(index, name.slice(0, 100), "is not in the table");
      }
    }
    return this.#columns.map((column) => {
      const value = valueOf(row, column.name);
      const problem = mismatch(value, column);
      if (problem !== undefined) throw new RowError(index, column.name, problem);
      return bindable(value);
    });
  }

  /** Writes rows and returns how many were new; call it in a transaction. */
  insert(rows: readonly SqliteValue[][]): number {
    let inserted = 0;
    for (const [index, values] of rows.entries()) {
      try {
        const isNew = Number(this.#insert.run(...values).changes) > 0;
        if (isNew) inserted += 1;
        else this.#update?.run(...this.#updated.map((at) => values[at] ?? null));
      } catch (error) {
        if (!isConstraint(error)) throw error;
        throw new RowError(index, undefined, "breaks a constraint of the table", { cause: error });
      }
    }
    return inserted;
  }
}

/** Members of its class are a row's, too; those that every object has, `constructor` say, are not. */
function valueOf(row: Row, name: string): unknown {
  return name in Object.prototype && !Object.hasOwn(row, name) ? undefined : row[name];
}

function equal(names: readonly string[], separator: string): string {
  return names.map((name) => `${quote(name)} = ?`).join(separator);
}

function compile(client: SqliteClient, sql: string): SqliteStatement {
  try {
    return client.prepare(sql);
  } catch (error) {
    if ((error as Error).message.includes("ON CONFLICT")) throw badKey();
    throw error;
  }
}

function badKey(): ConfigurationError {
  return new ConfigurationError("batchInsert", [
    {
      path: "key",
      expected: "columns that are filled and of which the table has a unique index",
      got: "others",
    },
  ]);
}
