import type { Clock } from "../clock.ts";
import { DeadLetterError } from "../errors.ts";
import type { DeadLetter, DeadLetterSink, FailedMessage } from "../failure.ts";
import { describeCause } from "../options/words.ts";
import { Message, type RoutedMessage } from "../message.ts";
import type { Publish } from "../telemetry.ts";
import { Alarm } from "./alarm.ts";
import type { Delivery } from "./delivery.ts";
import type { Settings } from "./settings.ts";
import { isThenable } from "./thenable.ts";
import { within } from "./time-limit.ts";

/** Letters in one write. */
const LETTERS = 100;
/** Milliseconds before a failed write is tried again; doubles up to `LONGEST_WAIT`. */
const FIRST_WAIT = 100;
const LONGEST_WAIT = 30_000;

/** A message, or one branch of it, that ran out of policy. */
export interface Failure {
  readonly delivery: Delivery;
  readonly route: RoutedMessage | undefined;
  readonly reason: unknown;
  readonly attempts: number;
  readonly action: "fail" | "deadLetter";
}

/** Letters that are not written, and the wait after a write that failed. */
interface Lane {
  readonly letters: Failure[];
  failures: number;
  readonly alarm: Alarm;
}

export interface FailureStageOptions {
  readonly clock: Clock;
  readonly settings: Settings;
  /** Aborts when nothing counts any more. */
  readonly signal: AbortSignal;
  readonly publish: Publish<"pipeline">;
  /** The failure has been dealt with. */
  done(failure: Failure, outcome: "failed" | "deadLettered"): void;
  advance(): void;
  crashed(error: unknown): void;
}

/** Deals with what ran out of policy: shows it to `onFailed`, then writes it to the dead-letter sink or hands it back. */
export class FailureStage {
  readonly #options: FailureStageOptions;
  readonly #sink: DeadLetterSink<unknown, unknown> | undefined;
  #collected: Failure[] = [];
  readonly #fresh: Lane;
  /** Letters that were refused alone: they must not hold the others. */
  readonly #refused: Lane;
  /** Of the fresh ones, those that were refused together: one of them may be to blame. */
  #suspects = 0;
  /** Letters in the write that is under way. */
  #writing = 0;
  #opened: Promise<void> | undefined;

  constructor(options: FailureStageOptions) {
    this.#options = options;
    this.#sink = options.settings.deadLetter;
    const lane = (): Lane => {
      const alarm = new Alarm(options.clock, () => void this.#write());
      return { letters: [], failures: 0, alarm };
    };
    this.#fresh = lane();
    this.#refused = lane();
  }

  /** Dead letters whose write has not succeeded yet. */
  get pending(): number {
    return this.#fresh.letters.length + this.#refused.letters.length + this.#writing;
  }

  /** Opens the sink. */
  open(): Promise<void> {
    this.#opened = this.#open();
    return this.#opened;
  }

  /** Closes the sink. */
  async close(): Promise<void> {
    try {
      await this.#opened;
      await this.#sink?.close?.();
    } catch (cause) {
      const error = this.#error("could not be closed.", cause);
      this.#options.publish("westend:dead-letter:refused", { letters: 0, error });
    }
  }

  push(failure: Failure): void {
    this.#collected.push(failure);
    // What fails in the same go is shown and written together.
    if (this.#collected.length === 1) queueMicrotask(() => void this.#collect());
  }

  /** Writes no more: the signal has aborted. */
  kill(): void {
    this.#fresh.alarm.clear();
    this.#refused.alarm.clear();
  }

  async #open(): Promise<void> {
    try {
      await this.#sink?.open?.();
    } catch (cause) {
      throw this.#error(`could not be opened: ${describeCause(cause)}`, cause);
    }
  }

  #error(what: string, cause: unknown): DeadLetterError {
    return new DeadLetterError(`The dead-letter sink "${this.#sink?.name}" ${what}`, { cause });
  }

  async #collect(): Promise<void> {
    const failures = this.#collected;
    this.#collected = [];
    const { clock, settings, signal, publish, done, advance, crashed } = this.#options;
    try {
      const shown = settings.onFailed?.(failures.map((failure) => new Failed(failure)));
      if (isThenable(shown)) {
        const { timeout } = settings.processor;
        await within({ clock, timeout, signal }, "onFailed", shown);
      }
    } catch (error) {
      // The failures take their course.
      publish("westend:failure:ignored", { error });
    }
    try {
      for (const failure of failures) {
        if (failure.action === "deadLetter") this.#fresh.letters.push(failure);
        else done(failure, "failed");
      }
      void this.#write();
      advance();
    } catch (crash) {
      crashed(crash);
    }
  }

  async #write(): Promise<void> {
    const { signal, publish, done, advance } = this.#options;
    const sink = this.#sink;
    if (sink === undefined || this.#writing > 0) return;
    for (let lane = this.#lane(); lane !== undefined; lane = this.#lane()) {
      const suspected = lane === this.#fresh && this.#suspects > 0;
      if (suspected) this.#suspects--;
      const taken = lane.letters.splice(0, suspected || lane === this.#refused ? 1 : LETTERS);
      // What its source has taken back meanwhile is written by whoever gets it.
      const chunk = taken.filter(({ delivery }) => !delivery.settled);
      if (chunk.length === 0) continue;
      this.#writing = chunk.length;
      try {
        await sink.write(
          chunk.map((failure) => this.#letter(failure)),
          signal,
        );
      } catch (cause) {
        this.#writing = 0;
        this.#refuse(lane, chunk, cause);
        continue;
      }
      this.#writing = 0;
      lane.failures = 0;
      for (const failure of chunk) done(failure, "deadLettered");
      publish("westend:dead-letter:written", { letters: chunk.length });
      advance();
    }
  }

  /** Where the next letter is to be taken from. */
  #lane(): Lane | undefined {
    if (this.#options.signal.aborted) return undefined;
    return [this.#fresh, this.#refused].find(
      ({ letters, alarm }) => letters.length > 0 && !alarm.isSet,
    );
  }

  #refuse(lane: Lane, chunk: readonly Failure[], cause: unknown): void {
    if (chunk.length > 1) {
      this.#fresh.letters.unshift(...chunk);
      this.#suspects = chunk.length;
    } else this.#refused.letters.push(...chunk);
    if (this.#options.signal.aborted) return;
    const wait = this.#pause(lane);
    if (chunk.length === 1 && !this.#refused.alarm.isSet) this.#pause(this.#refused);
    const letters = chunk.length;
    const error = this.#error(
      `did not take ${letters} letter(s). They are tried again in ${wait} ms.`,
      cause,
    );
    this.#options.publish("westend:dead-letter:refused", { letters, error });
  }

  #pause(lane: Lane): number {
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** lane.failures++);
    lane.alarm.set(wait);
    return wait;
  }

  #letter({ delivery, route, reason, attempts }: Failure): DeadLetter {
    const { incoming, source, receivedAt, key } = delivery;
    return {
      pipeline: this.#options.settings.name,
      source,
      payload: incoming.payload,
      metadata: incoming.metadata,
      key,
      reason,
      attempts,
      batcher: route?.batcher,
      receivedAt,
      failedAt: this.#options.clock.date(),
    };
  }
}

/** What `onFailed` sees of a failure. */
class Failed extends Message<unknown> implements FailedMessage {
  readonly payload: unknown;
  readonly batcher: string | undefined;

  constructor({ delivery, route, reason, attempts }: Failure) {
    super(delivery.message?.data, attempts, delivery);
    this.payload = delivery.incoming.payload;
    this.reason = reason;
    this.batcher = route?.batcher;
  }
}
