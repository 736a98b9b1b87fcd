import type { Clock, Timer } from "westend";
import type { DelayedTopic } from "./options.ts";
import type { Partition } from "./partition.ts";

/** Holds back messages of delayed topics until their time; a partition is in order of time, so its next message speaks for all. */
export class Delays {
  readonly #clock: Clock;
  readonly #delays: ReadonlyMap<string, number>;
  readonly #wake: () => void;
  #timer: Timer | undefined;
  #wakesAt = Infinity;

  constructor(clock: Clock, delayed: readonly DelayedTopic[], wake: () => void) {
    this.#clock = clock;
    this.#delays = new Map(delayed.map(({ topic, delay }) => [topic, delay]));
    this.#wake = wake;
  }

  /** Whether the next message of a partition has to wait; says when it need not any more. */
  holds(partition: Partition): boolean {
    const delay = this.#delays.get(partition.topic);
    const next = partition.peek();
    if (delay === undefined || next === undefined) return false;
    // Whoever wrote it may have a clock that is ahead: that must not make it wait for longer.
    const left = Math.min(delay, next.timestamp + delay - this.#clock.date());
    partition.delayed = left > 0;
    if (left > 0) this.#wakeIn(left);
    return partition.delayed;
  }

  end(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
  }

  #wakeIn(milliseconds: number): void {
    const at = this.#clock.now() + milliseconds;
    if (at >= this.#wakesAt) return;
    this.end();
    this.#wakesAt = at;
    this.#timer = this.#clock.setTimer(() => {
      this.#wakesAt = Infinity;
      this.#wake();
    }, milliseconds);
  }
}
