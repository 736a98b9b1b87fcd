/** What SQLite stores in a column. */
export type SqliteValue = null | number | bigint | string | Uint8Array;

/** The part of a prepared statement we need; those of `node:sqlite` and `better-sqlite3` have it. */
export interface SqliteStatement {
  run(...parameters: SqliteValue[]): { readonly changes: number | bigint };
  get(...parameters: SqliteValue[]): unknown;
  all(...parameters: SqliteValue[]): unknown[];
  /** Used where it is there, which is from Node 22.16: rows as arrays cost half of what rows as objects cost. */
  setReturnArrays?(enabled: boolean): void;
  /** `node:sqlite`: integers as bigints. */
  setReadBigInts?(enabled: boolean): void;
  /** `better-sqlite3`: the same. */
  safeIntegers?(enabled: boolean): unknown;
}

/** The part of a SQLite connection we need; a `DatabaseSync` of `node:sqlite` and a `Database` of `better-sqlite3` have it. */
export interface SqliteClient {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
  close(): unknown;
}

/**
 * Opens a file with `node:sqlite`, creating it if need be.
 * @internal
 */
export function openClient(path: string): SqliteClient {
  // Loaded here and not at the top: Node 22 prints a warning as soon as the module is loaded.
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  return new DatabaseSync(path);
}

/** A connection whose rows are objects of numbers, whatever its owner has set for their own. */
export function withPlainRows(client: SqliteClient): SqliteClient {
  return {
    exec: (sql) => client.exec(sql),
    close: () => client.close(),
    prepare(sql) {
      const statement = client.prepare(sql);
      statement.setReturnArrays?.(false);
      statement.setReadBigInts?.(false);
      statement.safeIntegers?.(false);
      return statement;
    },
  };
}
