export type { SqliteClient, SqliteStatement, SqliteValue } from "./client.ts";
export { sqliteQueue, SqliteQueue } from "./queue.ts";
export type { EnqueueOptions, QueueCounts, QueueLeaseOptions } from "./queue.ts";
export type { NewMessage } from "./enqueue.ts";
export type { QueuePayload } from "./payload.ts";
export { LeasedMessage } from "./leased-message.ts";
export type { SqliteAckOptions, SqliteMetadata } from "./leased-message.ts";
export { sqlite } from "./producer.ts";
export { sqliteDeadLetter } from "./dead-letter.ts";
export { DeadLetters } from "./dead-letters.ts";
export type {
  AuditRecord,
  ListOptions,
  PurgeOptions,
  RedriveOptions,
  RedriveReport,
} from "./dead-letters.ts";
export type { DeadLetterFilter } from "./dead-letter-filter.ts";
export type { StoredDeadLetter } from "./dead-letter-table.ts";
export { batchInsert } from "./sink.ts";
export type { BatchInsert, BatchInsertOptions, InsertResult, Row } from "./sink.ts";
export { RowError } from "./row-error.ts";
export type {
  SqliteDatabaseOptions,
  SqliteDeadLetterOptions,
  SqliteOptions,
  SqliteQueueOptions,
} from "./options.ts";
