export type {
  DelayedTopic,
  KafkaConnectionOptions,
  KafkaDeadLetterOptions,
  KafkaFetchOptions,
  KafkaOptions,
  KafkaSasl,
  KafkaSecret,
  KafkaStart,
  KafkaTls,
  KafkaWriteOptions,
  RedriveOptions,
  RetryTopicsOptions,
  ToKafkaOptions,
} from "./options.ts";
export { KafkaError, type KafkaErrorCode, KafkaWriteError } from "./errors.ts";
export { toKafka, type KafkaSink } from "./sink.ts";
export type { NewKafkaRecord, RecordBytes } from "./record.ts";
export { kafkaDeadLetter } from "./dead-letter.ts";
export { retryTopics } from "./retry-topics.ts";
export { kafka, type KafkaProducer } from "./producer.ts";
export type { KafkaAckOptions, KafkaMessage, KafkaMetadata } from "./message.ts";
export type { PartitionStats } from "./stats.ts";
export type { TopicPartition } from "./client.ts";
export { redrive, type RedriveReport } from "./redrive.ts";
export type { StoredKafkaLetter } from "./stored-letter.ts";
