import type { Columns } from "./column-types.ts";

/** How to reach the server. */
export interface PostgresDatabaseOptions {
  /**
   * Milliseconds a statement may take; then its connection is closed, and it has failed in a way that is worth another try.
   * @defaultValue 10_000
   */
  readonly timeout?: number | undefined;
}

/** Where Westend has its own tables. */
export interface PostgresStoreOptions extends PostgresDatabaseOptions {
  /**
   * The schema of the tables. It and they are created if they are missing and the user may; else by whoever may, once.
   * @defaultValue `"westend"`
   */
  readonly schema?: string | undefined;
}

export interface BatchInsertOptions<Of extends Columns = Columns> extends PostgresDatabaseOptions {
  /** As it is, neither quoted nor with its schema. */
  readonly table: string;
  /**
   * The schema the table is in.
   * @defaultValue the connection's `search_path` decides
   */
  readonly schema?: string | undefined;
  /**
   * The columns to fill, with their types: `{ id: "bigint", note: "text | null" }`. What is not named gets its default.
   * Compared with the table when the sink is opened.
   */
  readonly columns: Of;
  /**
   * What to do about a row that is there already: leave what is there, or overwrite it. Both make a batch that is written
   * again harmless. Without it such a row is an error.
   */
  readonly onConflict?: "ignore" | "replace" | undefined;
  /**
   * The columns of the unique index by which a row is recognised; needed for `replace`.
   * @defaultValue any unique index of the table
   */
  readonly key?: readonly (keyof Of & string)[] | undefined;
  /** Columns of the rows that were written, the key a row got from the server say; found in `rows` of the result. */
  readonly returning?: readonly string[] | undefined;
  /**
   * Whether to prepare the statement once per connection. Not possible behind a pooler that shares connections between transactions.
   * @defaultValue true
   */
  readonly prepare?: boolean | undefined;
}
