/** Every code of this package's own errors. */
export type KafkaErrorCode =
  | "KAFKA_UNREACHABLE"
  | "KAFKA_AUTHENTICATION"
  | "KAFKA_AUTHORIZATION"
  | "KAFKA_TOPIC_MISSING"
  | "KAFKA_UNSUPPORTED_VERSION"
  | "KAFKA_CLIENT_MISSING"
  | "KAFKA_INSTANCE_FENCED"
  | "KAFKA_GROUP"
  | "KAFKA_UNEXPECTED"
  | "KAFKA_OWNERSHIP_LOST"
  | "KAFKA_EVENT_LOOP_BLOCKED"
  | "KAFKA_COMMIT"
  | "KAFKA_TRANSACTION"
  | "KAFKA_REFUSED"
  | "KAFKA_NOT_WRITTEN"
  | "KAFKA_OUTCOME_UNKNOWN";

/** What goes wrong between us and Kafka: what happened, where, and what to do. The client's error is its cause. */
export class KafkaError extends Error {
  override readonly name: string = "KafkaError";
  readonly code: KafkaErrorCode;

  constructor(code: KafkaErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Another process has come with a name of ours, and has it now. */
export class FencedError extends KafkaError {}

/** Whether to come back would take the name from who has it. */
export function isFence(error: Error): error is KafkaError {
  if (error instanceof FencedError) return true;
  return error instanceof KafkaError && error.code === "KAFKA_INSTANCE_FENCED";
}

/**
 * A record was not written, or it is not known whether it was.
 * `KAFKA_REFUSED`: it will not be taken however often it is tried. `KAFKA_NOT_WRITTEN`: something passing, it is not there.
 * `KAFKA_OUTCOME_UNKNOWN`: nobody answered in time; it may be there, and will be there twice if it is written again.
 */
export class KafkaWriteError extends KafkaError {
  override readonly name = "KafkaWriteError";
  readonly topic: string | undefined;
  readonly partition: number | undefined;
  /** What the broker called it, such as `MESSAGE_TOO_LARGE`; undefined if none of them said anything. */
  readonly brokerError: string | undefined;

  constructor(
    code: "KAFKA_REFUSED" | "KAFKA_NOT_WRITTEN" | "KAFKA_OUTCOME_UNKNOWN",
    message: string,
    details: ErrorOptions & {
      readonly topic: string | undefined;
      readonly partition?: number | undefined;
      readonly brokerError?: string | undefined;
    },
  ) {
    super(code, message, details);
    this.topic = details.topic;
    this.partition = details.partition;
    this.brokerError = details.brokerError;
  }

  /** Whether trying again may help: for `retry({ when })`. */
  get retriable(): boolean {
    return this.code !== "KAFKA_REFUSED";
  }
}
