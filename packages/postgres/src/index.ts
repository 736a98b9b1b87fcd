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
export { postgresInbox } from "./inbox.ts";
export type { InboxOptions, OnceOptions, PostgresInbox, TransactionOf } from "./inbox.ts";
export { RowError } from "./row-error.ts";
export { retryable } from "./retryable.ts";
export type {
  BatchInsertOptions,
  PostgresDatabaseOptions,
  PostgresStoreOptions,
} from "./options.ts";
