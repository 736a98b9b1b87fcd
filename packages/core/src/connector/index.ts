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
  refuseText,
  satisfying,
  shaped,
  type Site,
  string,
} from "../options.ts";

// What is kept of a dead letter.
export { boundedJson } from "./bounded-json.ts";
export { describeError, type ErrorEnvelope } from "./error-envelope.ts";
export {
  identityOf,
  letterHead,
  type LetterHead,
  type LetterRow,
  payloadText,
  storedLetter,
} from "./letter.ts";
export { type EditedLetter, redrive, type RedriveStore } from "./redrive.ts";

// What the durable queues have in common.
export { checkNames, queueTerms } from "./queue-terms.ts";
export { type FailureOverrides, failureOverrides, refuseLost } from "./leases.ts";
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
