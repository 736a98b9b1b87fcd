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
  | "KAFKA_OWNERSHIP_LOST"
  | "KAFKA_EVENT_LOOP_BLOCKED"
  | "KAFKA_COMMIT";

/** What goes wrong between us and Kafka: what happened, where, and what to do. The client's error is its cause. */
export class KafkaError extends Error {
  override readonly name = "KafkaError";
  readonly code: KafkaErrorCode;

  constructor(code: KafkaErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
