export type { SqliteClient, SqliteStatement, SqliteValue } from "./client.ts";
export { sqliteQueue, SqliteQueue } from "./queue.ts";
export type { EnqueueOptions, QueueLeaseOptions } from "./queue.ts";
export { LeasedMessage } from "./leased-message.ts";
export type { SqliteAckOptions, SqliteMetadata } from "./leased-message.ts";
export { sqlite } from "./producer.ts";
export { sqliteDeadLetter } from "./dead-letter.ts";
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
export { batchInsert } from "./sink.ts";
export type { BatchInsert, BatchInsertOptions, InsertResult, Row } from "./sink.ts";
export { RowError } from "./row-error.ts";
export type {
  SqliteDatabaseOptions,
  SqliteDeadLetterOptions,
  SqliteOptions,
  SqliteQueueOptions,
} from "./options.ts";
