// What a connector's options have to be.
export {
  advised,
  array,
  boolean,
  check,
  type Checker,
  either,
  func,
  integer,
  number,
  object,
  oneOf,
  optional,
  record,
  satisfying,
  shaped,
  type Site,
  string,
} from "../options.ts";

// What is kept of a dead letter.
export { boundedJson } from "./bounded-json.ts";
export { describeError, type ErrorEnvelope } from "./error-envelope.ts";

// What the durable queues have in common.
export type { NewMessage, QueueCounts, QueuePayload } from "./queue.ts";
export type {
  AuditRecord,
  DeadLetterFilter,
  ListOptions,
  PurgeOptions,
  RedriveOptions,
  RedriveReport,
  StoredDeadLetter,
} from "./dead-letter-store.ts";
