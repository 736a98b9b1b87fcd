export type {
  PgliteClient,
  PgliteTransaction,
  PostgresClient,
  PostgresConnection,
  PostgresPool,
  PostgresTarget,
  PostgresTransaction,
  QueryResult,
  Statement,
} from "./client.ts";
export type { Columns, ColumnType, PostgresType, RowOf, ScalarType } from "./column-types.ts";
export { batchInsert } from "./sink.ts";
export type { BatchInsert, InsertResult } from "./sink.ts";
export { RowError } from "./row-error.ts";
export { retryable } from "./retryable.ts";
export type { BatchInsertOptions, PostgresDatabaseOptions } from "./options.ts";
