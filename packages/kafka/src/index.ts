export type {
  KafkaConnectionOptions,
  KafkaFetchOptions,
  KafkaOptions,
  KafkaSasl,
  KafkaSecret,
  KafkaStart,
  KafkaTls,
} from "./options.ts";
export { KafkaError, type KafkaErrorCode } from "./errors.ts";
