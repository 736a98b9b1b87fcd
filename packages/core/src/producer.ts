import type { AcknowledgeResult, Settled } from "./acknowledger.ts";
import type { Clock } from "./clock.ts";
import type { PartitionKey } from "./message.ts";

export type Awaitable<Value> = Value | PromiseLike<Value>;

/** How much a pipeline has room for. */
export interface Demand {
  /** At least 1; a pull gives at most so many. */
  readonly messages: number;
  /** Bytes there is room for. A session that knows sizes gives no more, but always at least one message. */
  readonly bytes: number;
}

/** One message as its source hands it over; kept as it is until it is settled or released. */
export interface Incoming<Payload, Metadata> {
  readonly payload: Payload;
  readonly metadata: Metadata;
  /** Messages of one key run one at a time, in order; `processor.partitionBy` wins over it. */
  readonly key?: PartitionKey | undefined;
  /**
   * Bytes it takes.
   * @defaultValue the length of the payload if it is a string or bytes, else 0
   */
  readonly size?: number | undefined;
  /**
   * The how-manieth delivery this is, where the source counts them.
   * @defaultValue 1
   */
  readonly attempt?: number | undefined;
  /**
   * Why the payload cannot be given: the message fails with this, and no decoder or handler sees it.
   * Make it a DecodeError unless another try may help.
   */
  readonly defect?: Error | undefined;
}

/** What a session may ask of the pipeline that opened it. */
export interface ProducerContext {
  readonly pipeline: string;
  /** The name the producer goes by in this pipeline. */
  readonly source: string;
  /** Which of the producer's sessions this is, from 0. */
  readonly index: number;
  readonly clock: Clock;
  /** Aborts when the session is to be given up at once; the same for all sessions of one run of the pipeline. */
  readonly signal: AbortSignal;
  /** Says that a pull is worth while again after an empty one. */
  wake(): void;
  /**
   * Takes messages of this session back, for a source that gives them to somebody else (a rebalance): no handler of them starts
   * any more, none is tried again, and batches they are in are flushed. Resolves when what was under way has ended and been
   * acknowledged, or after `timeout` milliseconds, from when on nothing that ends is acknowledged. A pull that waits is not
   * looked at: what it brings afterwards, the session answers for.
   * @param timeout milliseconds; by default the pipeline's `shutdown.timeout`
   */
  revoke(
    predicate: (incoming: Incoming<unknown, unknown>) => boolean,
    timeout?: number,
  ): Promise<void>;
  /** Publishes `westend:producer:event` with these fields; never put payloads into them. */
  telemetry(event: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Where messages come from. A definition: it holds nothing open and can be opened many times. */
export interface Producer<Payload, Metadata = unknown> {
  readonly name: string;
  /** Called at the start and again after every restart. Throwing counts against the restart budget. */
  open(context: ProducerContext): Awaitable<ProducerSession<Payload, Metadata>>;
}

/** One opened producer. Its methods are never called concurrently with themselves, except `acknowledge` and `extend`. */
export interface ProducerSession<Payload, Metadata = unknown> {
  /**
   * Hands over at most `demand` messages. `[]` means nothing now: the next pull comes after `wake()` or `idle` milliseconds. `null` means never again.
   * Must settle soon after the signal aborts. Rejecting ends the session: it is still told what became of its messages,
   * then closed, and a new one is opened.
   */
  pull(
    demand: Demand,
    signal: AbortSignal,
  ): Awaitable<readonly Incoming<Payload, Metadata>[] | null>;
  /** Tells the source what has ended. A group that throws is tried again with back-off; other groups are not affected. */
  acknowledge(settled: Settled<Metadata>): Awaitable<AcknowledgeResult<Metadata>>;
  /**
   * Takes back messages that were never handled, or failed and would have been tried again, when a drain is under way.
   * A session without it has its messages handled to the end.
   */
  release?(messages: readonly Incoming<Payload, Metadata>[]): Awaitable<void>;
  /** Keeps the lease of messages that are still being worked on for so many milliseconds from now; called at a third of `lease`. */
  extend?(messages: readonly Incoming<Payload, Metadata>[], milliseconds: number): Awaitable<void>;
  /** Stops fetching; what was handed over goes on and will still be acknowledged. */
  drain?(): Awaitable<void>;
  /** Gives back everything held open. What was handed over and never acknowledged counts as handed back. */
  close?(): Awaitable<void>;
  /** Milliseconds a message stays ours without `extend`. */
  readonly lease?: number | undefined;
  /**
   * Milliseconds to wait after an empty pull unless `wake()` comes first; `Infinity` waits for `wake()` alone.
   * @defaultValue 100
   */
  readonly idle?: number | undefined;
  /**
   * How many messages are left in the source, if it knows; for progress bars and lag. It is asked for the whole producer: a session that
   * sees a part only adds what the others of the same run see, which have the same `signal` in their context. What throws, or gives no
   * finite number from 0 on, does not know.
   */
  remaining?(): number | undefined;
}
