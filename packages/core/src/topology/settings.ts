import type { Batch } from "../batch.ts";
import type { Decoder } from "../decoder.ts";
import type { DeadLetterSink, FailedMessage, RetryPolicy } from "../failure.ts";
import type { Message, PartitionKey, RoutedMessage } from "../message.ts";
import type { Awaitable, Producer } from "../producer.ts";
import type { RateLimit } from "../rate-limit.ts";
import type { RestartBudget } from "./supervisor.ts";

export interface SourceSettings {
  readonly name: string;
  readonly producer: Producer<unknown>;
  readonly concurrency: number;
  readonly weight: number;
  readonly rateLimit: RateLimit | undefined;
}

export interface ProcessorSettings {
  readonly concurrency: number;
  readonly retry: RetryPolicy | undefined;
  readonly timeout: number | undefined;
  /** The handler declares a signal. */
  readonly ownSignal: boolean;
  readonly user: UserProcessor;
}

/** The user's functions as they were when the pipeline was defined; called with `self` as their `this`. */
export interface UserProcessor {
  readonly self: unknown;
  readonly partitionBy: ((message: Message<unknown>) => PartitionKey | undefined) | undefined;
  readonly prepare:
    | ((messages: readonly Message<unknown>[], signal: AbortSignal) => Awaitable<void>)
    | undefined;
  readonly handle: (message: Message<unknown>, signal: AbortSignal) => unknown;
}

export interface BatcherSettings {
  readonly size: number;
  readonly bytes: number | undefined;
  readonly timeout: number;
  readonly concurrency: number;
  readonly weight: ((message: RoutedMessage) => number) | undefined;
  readonly splitBy: (() => (message: RoutedMessage) => boolean) | undefined;
  readonly partitionBy: ((message: RoutedMessage) => PartitionKey | undefined) | undefined;
  readonly retry: RetryPolicy | undefined;
  readonly bisect: boolean;
  readonly handleTimeout: number | undefined;
  /** The handler declares a signal. */
  readonly ownSignal: boolean;
  handle(messages: readonly RoutedMessage[], batch: Batch, signal: AbortSignal): unknown;
}

/** The options of a pipeline with every default filled in; types erased. */
export interface Settings {
  readonly name: string;
  readonly sources: readonly SourceSettings[];
  readonly decoder: Decoder<unknown, unknown> | undefined;
  readonly processor: ProcessorSettings;
  readonly batchers: Readonly<Record<string, BatcherSettings>>;
  readonly deadLetter: DeadLetterSink<unknown, unknown> | undefined;
  readonly onFailed: ((messages: readonly FailedMessage[]) => Awaitable<void>) | undefined;
  readonly rateLimit: RateLimit | undefined;
  readonly maxInFlight: number;
  readonly maxBytes: number;
  readonly restart: RestartBudget;
  /** Milliseconds a drain may take. */
  readonly shutdown: number;
}
