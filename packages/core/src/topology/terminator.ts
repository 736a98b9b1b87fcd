import type { Clock, Timer } from "../clock.ts";

/** Milliseconds that giving messages back and closing may take beyond the deadline. */
const GRACE = 500;

export interface TerminatorOptions {
  readonly clock: Clock;
  /** Producers pull no more at once; resolves when nothing more can come. */
  drainProducers(): Promise<void>;
  /** Processors take nothing new; what can go back to its source does. */
  stopTaking(): void;
  /** Everything received has ended and been acknowledged. */
  finished(): boolean;
  /** What goes back to its source has arrived there. */
  released(): Promise<void>;
  /** The deadline has passed: aborts what is left, and gives it back. */
  abandon(): void;
  /** Closes producers, and what else is open. */
  close(): Promise<void>;
}

/** Brings a pipeline to its end in order, under one deadline. */
export class Terminator {
  readonly #options: TerminatorOptions;
  #waiting: (() => void) | undefined;

  constructor(options: TerminatorOptions) {
    this.#options = options;
  }

  /** Drains, and closes; by the deadline and a little at the latest, whatever hangs. */
  async drain(milliseconds: number): Promise<void> {
    const { clock, stopTaking, drainProducers, finished, released, abandon } = this.#options;
    const deadline = clock.now() + milliseconds;
    const left = (): number => Math.max(0, deadline - clock.now());
    // Before anything goes back, so that it is not pulled again.
    const drained = drainProducers();
    stopTaking();
    await this.#within(left(), drained);
    stopTaking();
    await this.#within(left(), this.#until(finished));
    const late = !finished();
    if (late) abandon();
    await this.#within(late ? GRACE : left(), released());
    await this.close();
  }

  /** Closes a pipeline in which nothing is left. */
  async close(): Promise<void> {
    await this.#within(GRACE, this.#options.close());
  }

  /** To be called whenever something may have ended. */
  check(): void {
    if (this.#waiting === undefined || !this.#options.finished()) return;
    this.#waiting();
    this.#waiting = undefined;
  }

  #until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  async #within(milliseconds: number, work: Promise<void>): Promise<void> {
    const { clock } = this.#options;
    let timer: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      if (milliseconds > 0) timer = clock.setTimer(resolve, milliseconds);
      else clock.defer(resolve);
    });
    await Promise.race([work, late]);
    if (timer !== undefined) clock.clearTimer(timer);
  }
}
