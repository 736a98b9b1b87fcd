import type { Message, PartitionKey } from "./message.ts";
import type { Awaitable } from "./producer.ts";

/**
 * What becomes of a message whose attempts are used up:
 * `deadLetter` writes it to the dead-letter sink, then acknowledges it; `fail` hands it back to the source as failed;
 * `hold` keeps trying, and keeps what is ordered behind it waiting, while others flow; `stop` ends the pipeline with the error.
 */
export type WhenExhausted = "deadLetter" | "fail" | "hold" | "stop";

/** What to do about one error. `drop` acknowledges the message and counts it as dropped. */
export type FailureAction = WhenExhausted | "retry" | "drop";

/** How long to wait before the next attempt. */
export interface Backoff {
  /** Milliseconds to wait after the attempt with this number (from 1) failed; `random` gives [0, 1). */
  delay(attempt: number, random: () => number): number;
}

/** A failure policy, as {@link retry} makes it. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly backoff: Backoff;
  readonly when: ((error: unknown) => boolean | FailureAction) | undefined;
  readonly whenExhausted: WhenExhausted | undefined;
  readonly budget: RetryBudget;
}

/** How much extra load retries may make: an outage must not be amplified. Beyond it a retry waits, it is not given up. */
export interface RetryBudget {
  /**
   * Retries per message that came in.
   * @defaultValue 0.1
   */
  readonly ratio: number;
  /**
   * Retries a second that are always allowed.
   * @defaultValue 10
   */
  readonly perSecond: number;
}

export interface RetryOptions {
  /** How often a message is tried in all, the first time included. At least 1; `Infinity` never gives up. */
  readonly attempts: number;
  /**
   * The wait between attempts. Must not throw; if it does, or gives what is no time to wait, a second passes.
   * @defaultValue `exponential({ initial: 100, max: 30_000 })`
   */
  readonly backoff?: Backoff | undefined;
  /**
   * Classifies an error: `true` retries it while attempts are left, `false` gives up at once, an action is carried out.
   * Errors that come again however often one tries, such as a DecodeError, are not retried whatever it says; the other actions are.
   * Must not throw; if it does, or gives anything else, the error is retried.
   * @defaultValue every error is retried
   */
  readonly when?: ((error: unknown) => boolean | FailureAction) | undefined;
  /**
   * @defaultValue `"deadLetter"` if the pipeline has a dead-letter sink, else `"fail"`
   */
  readonly whenExhausted?: WhenExhausted | undefined;
  readonly budget?: Partial<RetryBudget> | undefined;
}

/** A message that ran out of policy. */
export interface FailedMessage<Data = unknown, Metadata = unknown, Payload = unknown> extends Pick<
  Message<Data, Metadata>,
  "metadata" | "key" | "attempt" | "receivedAt" | "source" | "ackNow" | "configureAck"
> {
  /** What the decoder made of it; undefined if it did not fit. */
  readonly data: Data | undefined;
  /** What the source sent. */
  readonly payload: Payload;
  /** What was thrown, or given to `fail`. */
  readonly reason: unknown;
  /** The batcher in which it failed; undefined if it failed before. */
  readonly batcher: string | undefined;
}

/** What a dead-letter sink is given: everything needed to look into it and to send it back. */
export interface DeadLetter<Payload = unknown, Metadata = unknown> {
  readonly pipeline: string;
  readonly source: string;
  readonly payload: Payload;
  readonly metadata: Metadata;
  readonly key: PartitionKey | undefined;
  readonly reason: unknown;
  /** How often it was tried. */
  readonly attempts: number;
  /** The batcher in which it failed; undefined if it failed before. */
  readonly batcher: string | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly receivedAt: number;
  /** Milliseconds since the Unix epoch. */
  readonly failedAt: number;
}

/** Where messages go that ran out of policy. The source is told only after `write` has resolved. */
export interface DeadLetterSink<Payload = never, Metadata = never> {
  readonly name: string;
  /** Called once, before the first pull. */
  open?(): Awaitable<void>;
  /** Stores all of them, or throws; then it is called again, later, with the same letters or some of them, until it succeeds. */
  write(letters: readonly DeadLetter<Payload, Metadata>[], signal: AbortSignal): Awaitable<void>;
  /** Called once, after the last write. */
  close?(): Awaitable<void>;
}
