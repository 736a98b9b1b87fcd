// What a pipeline is made of.
export { definePipeline, type Pipeline } from "./pipeline.ts";
export type {
  AnySource,
  BatcherName,
  BatchData,
  BatcherOptions,
  MetadataOf,
  PayloadOf,
  PipelineOptions,
  ProcessorOptions,
  SourceOptions,
} from "./definition.ts";
export { pipelines } from "./running-pipeline.ts";
export type {
  PipelineUpdate,
  PushOptions,
  RunningPipeline,
  StartOptions,
} from "./running-pipeline.ts";
export type { RateLimit } from "./rate-limit.ts";
export { Message } from "./message.ts";
export type {
  AckOptions,
  Configurable,
  PartitionKey,
  Routed,
  RoutedTo,
  RouteOptions,
} from "./message.ts";
export type { Batch, BatchTrigger } from "./batch.ts";
export type {
  BatcherStats,
  LatencyPercentiles,
  PipelineStats,
  PipelineStatus,
  PipelineTopology,
  ProcessorStats,
  ProducerStats,
  PushOutcome,
  StopReport,
} from "./report.ts";

// Where messages come from.
export {
  fromIterable,
  type FromIterableOptions,
  type IterableMetadata,
} from "./producers/from-iterable.ts";
export { fromReadable } from "./producers/from-readable.ts";
export { interval, type Tick } from "./producers/interval.ts";
export { memory, type MemoryMetadata, type MemoryProducer } from "./producers/memory.ts";

// What makes data of payloads.
export { json, schema, text } from "./decoder.ts";
export type { Decoder } from "./decoder.ts";

// What becomes of failures.
export { constant, exponential, type ExponentialOptions, retry } from "./retry.ts";
export type {
  Backoff,
  DeadLetter,
  DeadLetterSink,
  FailedMessage,
  FailureAction,
  RetryBudget,
  RetryOptions,
  RetryPolicy,
  WhenExhausted,
} from "./failure.ts";
export {
  AcknowledgeError,
  AttemptsError,
  ConfigurationError,
  type ConfigurationIssue,
  DeadLetterError,
  DecodeError,
  type DecodeIssue,
  type ErrorCode,
  HandlerResultError,
  HandlerTimeoutError,
  PipelineError,
  ProducerError,
  ShutdownTimeoutError,
  StageError,
  StoppedError,
  UnknownBatcherError,
} from "./errors.ts";

// What a connector is made of; what its options, its queues and its dead letters need besides is in `westend/connector`.
export type {
  Awaitable,
  Demand,
  Incoming,
  Producer,
  ProducerContext,
  ProducerSession,
} from "./producer.ts";
export type {
  AcknowledgeResult,
  Outcome,
  Refused,
  Settled,
  SettledMessage,
} from "./acknowledger.ts";
export { type Clock, systemClock, type Timer } from "./clock.ts";
export type { BatchContext, HandleContext, TelemetryEvents, TelemetryName } from "./telemetry.ts";
