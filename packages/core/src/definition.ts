import type { Batch } from "./batch.ts";
import type { Decoder } from "./decoder.ts";
import type { Backoff, DeadLetterSink, FailedMessage, RetryPolicy } from "./failure.ts";
import type { Message, PartitionKey, Routed } from "./message.ts";
import type { Awaitable, Producer } from "./producer.ts";
import type { RateLimit } from "./rate-limit.ts";

/** One source of a pipeline, with what this pipeline makes of it. */
export interface SourceOptions<Payload, Metadata> {
  readonly producer: Producer<Payload, Metadata>;
  /**
   * How many sessions of it are open; each is restarted on its own.
   * @defaultValue 1
   */
  readonly concurrency?: number | undefined;
  /**
   * Its part of `maxInFlight` and `maxBytes`, relative to the other sources.
   * @defaultValue 1
   */
  readonly weight?: number | undefined;
  /** Over all its sessions, besides the pipeline's own limit. */
  readonly rateLimit?: RateLimit | undefined;
}

/** Any source, whatever it sends. */
export type AnySource = Producer<unknown> | SourceOptions<unknown, unknown>;

/** What a source sends. */
export type PayloadOf<Source> =
  Source extends Producer<infer Payload>
    ? Payload
    : Source extends SourceOptions<infer Payload, unknown>
      ? Payload
      : never;

/** What a source says about its messages besides the payload. */
export type MetadataOf<Source> =
  Source extends Producer<unknown, infer Metadata>
    ? Metadata
    : Source extends SourceOptions<unknown, infer Metadata>
      ? Metadata
      : never;

export interface ProcessorOptions<Data, Metadata, Out> {
  /**
   * How many messages are handled at once.
   * @defaultValue 10
   */
  readonly concurrency?: number | undefined;
  /**
   * Order: of one key one message is handled at a time, in order of arrival, over retries. Any number of keys.
   * @defaultValue the key the source gives, if it gives one
   */
  partitionBy?(message: Message<Data, Metadata>): PartitionKey | undefined;
  /** What to do when `handle` fails. Without it a failure is final at once. */
  readonly retry?: RetryPolicy | undefined;
  /**
   * Milliseconds `handle` may take; then its signal aborts, and the attempt has failed.
   * It holds for an asynchronous decoder, for `prepare` and for `onFailed`, too.
   */
  readonly timeout?: number | undefined;
  /** Called once for the messages of one pull, before any of them is handled. If it fails, it is called again for each message alone. */
  prepare?(messages: readonly Message<Data, Metadata>[], signal: AbortSignal): Awaitable<void>;
  /**
   * Handles one message. Returning `message.to(…)`, or an array of those, sends it on; returning nothing acknowledges it; throwing fails it.
   * A plain value costs no promise. The signal is the message's own where `handle` declares it as a parameter of its own; otherwise messages share one.
   */
  handle(message: Message<Data, Metadata>, signal: AbortSignal): Awaitable<Out>;
}

export interface BatcherOptions<Data, Metadata> {
  /**
   * Messages in a batch; with `weight`, their weight.
   * @defaultValue 100
   */
  readonly size?: number | undefined;
  /** Bytes in a batch; not exceeded unless by a single message. */
  readonly bytes?: number | undefined;
  /**
   * How much a message counts towards `size`.
   * @defaultValue 1
   */
  weight?(message: Message<Data, Metadata>): number;
  /**
   * Milliseconds after its first message at which a batch is emitted, full or not.
   * @defaultValue 1000
   */
  readonly timeout?: number | undefined;
  /** Called for each new batch; what it gives is called with each message, and says whether the batch is complete with it. */
  splitBy?(): (message: Message<Data, Metadata>) => boolean;
  /** Order: batches that share a key are handled one after the other, over retries. */
  partitionBy?(message: Message<Data, Metadata>): PartitionKey | undefined;
  /**
   * How many batches are handled at once.
   * @defaultValue 1
   */
  readonly concurrency?: number | undefined;
  /** What to do when `handle` fails. Without it a failure is final at once. */
  readonly retry?: RetryPolicy | undefined;
  /**
   * Halves a batch that ran out of policy until what is to blame stands alone.
   * @defaultValue false
   */
  readonly bisect?: boolean | undefined;
  /** Milliseconds `handle` may take; then its signal aborts, and the attempt has failed. */
  readonly handleTimeout?: number | undefined;
  /**
   * Handles one batch. Throwing fails all of it; `message.fail(reason)` fails one message of it.
   * The signal is the call's own where `handle` declares it as a parameter of its own; otherwise calls share one, as making it takes microseconds.
   */
  handle(
    messages: readonly Message<Data, Metadata>[],
    batch: Batch,
    signal: AbortSignal,
  ): Awaitable<void>;
}

// A plain distributive conditional on `Out`: `RouteOf<Out> extends infer Route ? …` makes every batch handler's parameters
// `any`, and `RouteOf<Out> extends Routed<…>` loses the data.
export type BatcherName<Out> = Out extends
  | Routed<infer Name, unknown>
  | readonly Routed<infer Name, unknown>[]
  ? Name
  : never;

export type BatchData<Out, Name extends string> =
  Out extends Routed<Name, infer Data>
    ? Data
    : Out extends readonly (infer Route)[]
      ? Route extends Routed<Name, infer Data>
        ? Data
        : never
      : never;

// One object rather than a chain of calls: the topology is one value to read, and a missing batcher is named, where a chain
// would only say that it cannot be called. Everything generic in it (`json(…)`, `retry(…)`) must give an object: TypeScript
// skips generic calls that give functions when it first looks for types, and then finds none.
/** Properties in the order in which data flows; TypeScript infers the data of each batcher from the `processor` above it. */
export interface PipelineOptions<Source, Data, Out> {
  /** Shows in telemetry, errors and the dashboard. */
  readonly name: string;
  /** Where messages come from; either this or `producers`. It goes by its own name, which must not be `push`. */
  readonly producer?: Source;
  /** Several sources that share the pipeline's budget by weight, by name; `push` is what `running.push` brings. */
  readonly producers?: Readonly<Record<string, Source>>;
  // What a decoder takes may be wider than what the source sends, and must not widen it: nothing is inferred through `PayloadOf`.
  /** What makes data of payloads; what does not fit fails and is never retried. */
  readonly decoder?: Decoder<PayloadOf<Source>, Data>;
  readonly processor: ProcessorOptions<Data, MetadataOf<Source>, Out>;
  // No conditional type around it: the parameters of its handlers would be `any`. What it cannot say, `Checked` does.
  readonly batchers?: {
    readonly [Name in BatcherName<Out>]: BatcherOptions<BatchData<Out, Name>, MetadataOf<Source>>;
  };
  /** Where messages go that ran out of policy; they are acknowledged once they are there. */
  readonly deadLetter?: DeadLetterSink<PayloadOf<Source>, MetadataOf<Source>> | undefined;
  /** Sees messages that ran out of policy before they are dead-lettered or handed back; cannot revive them. */
  onFailed?(
    messages: readonly FailedMessage<Data, MetadataOf<Source>, PayloadOf<Source>>[],
  ): Awaitable<void>;
  /** Over all sources. */
  readonly rateLimit?: RateLimit | undefined;
  /**
   * Messages that may be out of the sources and not settled, those in open batches included. When they are used up and no batch is written,
   * the oldest open batch of each batcher is flushed: at once if no handler runs, else when a processor has had nothing to do for 50 ms.
   * @defaultValue ten for each processor, and two batches for each batch processor: one is written, the next one fills
   */
  readonly maxInFlight?: number | undefined;
  /**
   * Bytes of payload that may be out of the sources and not settled.
   * @defaultValue 64 MiB
   */
  readonly maxBytes?: number | undefined;
  /** How often a stage that crashes is restarted before the pipeline fails. */
  readonly restart?:
    | {
        /** @defaultValue 3 */
        readonly max?: number | undefined;
        /**
         * Milliseconds.
         * @defaultValue 5000
         */
        readonly within?: number | undefined;
        /**
         * Must not throw; if it does, or gives what is no time to wait, a second passes.
         * @defaultValue `exponential({ initial: 100, max: 5000, jitter: "none" })`
         */
        readonly backoff?: Backoff | undefined;
      }
    | undefined;
  readonly shutdown?:
    | {
        /**
         * Milliseconds a drain may take. What would be tried again does not wait for it, but goes back to its source if that takes it back.
         * Where they hang, giving back what is left and closing take up to half a second more each.
         * @defaultValue 30_000
         */
        readonly timeout?: number | undefined;
      }
    | undefined;
}

/** What a processor may return: a route, several, or nothing. */
type RoutedOrNothing =
  | Routed<string, unknown>
  | readonly Routed<string, unknown>[]
  | undefined
  | void;

// Not a constraint on `Out`: a handler that returns nothing would be inferred to return the constraint.
/** What inference alone cannot require: a processor returns a `RoutedOrNothing`, routes have batchers, and there is a source. */
export type Checked<Out, Source> = Sourced<Source> & CheckedOut<Out>;

/** Its name is what the compiler says where there are no batchers: `any` may be a route. */
interface HandlerReturnsAny {
  readonly batchers: unknown;
}

type CheckedOut<Out> = [Out] extends [RoutedOrNothing]
  ? [BatcherName<Out>] extends [never]
    ? { readonly batchers?: Readonly<Record<string, never>> }
    : 0 extends 1 & Out
      ? HandlerReturnsAny
      : { readonly batchers: unknown }
  : { readonly processor: { handle(...args: never): RoutedOrNothing } };

// Only where nothing was inferred: a union makes the messages about other mistakes longer. Of it the last is named as missing.
type Sourced<Source> = [AnySource] extends [Source]
  ? { readonly producers: unknown } | { readonly producer: unknown }
  : unknown;
