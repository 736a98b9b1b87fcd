export { type CommittedOffset, KafkaAdmin } from "./kafka/admin.ts";
export { type KafkaOptions, type KafkaServer, startKafka } from "./kafka/kafka.ts";
export { type PostgresOptions, type PostgresServer, startPostgres } from "./postgres/postgres.ts";
export { missing, type Service } from "./services.ts";
export { type FaultProxy, faultProxy, type Faults } from "./proxy/fault-proxy.ts";
export {
  type MiniBroker,
  type MiniBrokerOptions,
  startMiniBroker,
} from "./mini-broker/mini-broker.ts";
