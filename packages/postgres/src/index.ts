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
  PostgresDeadLetterOptions,
  PostgresOptions,
  PostgresQueueOptions,
  PostgresStoreOptions,
} from "./options.ts";
export { postgresQueue, PostgresQueue } from "./queue.ts";
export type { EnqueueOptions, QueueLeaseOptions } from "./queue.ts";
export { LeasedMessage } from "./leased-message.ts";
export type { PostgresAckOptions, PostgresMetadata } from "./leased-message.ts";
export { postgres } from "./producer.ts";
export { postgresDeadLetter } from "./dead-letter.ts";
export { DeadLetters } from "./dead-letters.ts";
export type {
  AuditRecord,
  DeadLetterFilter,
  ListOptions,
  NewMessage,
  PurgeOptions,
  QueueCounts,
  QueuePayload,
  RedriveOptions,
  RedriveReport,
  StoredDeadLetter,
} from "westend/connector";
