import type { Clock } from "../clock.ts";
import { Alarm } from "./alarm.ts";

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
  /** Rings when the time is up for whatever is waited for. */
  readonly #alarm: Alarm;
  #late!: Promise<void>;
  #expire!: () => void;
  /** What can be brought forward; of what comes after it nothing can. */
  #deadline = -Infinity;

  constructor(options: TerminatorOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock, () => this.#expire());
  }

  /** Drains, and closes; by the deadline and a little at the latest, whatever hangs. */
  async drain(milliseconds: number): Promise<void> {
    const { clock, stopTaking, drainProducers, finished, released, abandon } = this.#options;
    this.#allow(milliseconds);
    this.#deadline = clock.now() + milliseconds;
    // Before anything goes back, so that it is not pulled again.
    const drained = drainProducers();
    stopTaking();
    await this.#inTime(drained);
    stopTaking();
    await this.#inTime(this.#over());
    if (!finished()) {
      this.#allow(GRACE);
      abandon();
    }
    await this.#inTime(released());
    await this.close();
  }

  /** Closes a pipeline in which nothing is left. */
  async close(): Promise<void> {
    this.#allow(GRACE);
    await this.#inTime(this.#options.close());
    this.#alarm.clear();
  }

  /** Brings the deadline of a drain that is under way forward, never back. */
  hasten(milliseconds: number): void {
    const deadline = this.#options.clock.now() + milliseconds;
    if (deadline >= this.#deadline) return;
    this.#deadline = deadline;
    this.#expireIn(milliseconds);
  }

  /** To be called whenever something may have ended. */
  check(): void {
    if (this.#waiting === undefined || !this.#options.finished()) return;
    this.#waiting();
    this.#waiting = undefined;
  }

  #over(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.check();
    });
  }

  #allow(milliseconds: number): void {
    this.#deadline = -Infinity;
    this.#late = new Promise((resolve) => {
      this.#expire = resolve;
    });
    this.#expireIn(milliseconds);
  }

  #expireIn(milliseconds: number): void {
    this.#alarm.clear();
    if (milliseconds > 0) this.#alarm.set(milliseconds);
    else this.#options.clock.defer(this.#expire);
  }

  #inTime(work: Promise<void>): Promise<void> {
    return Promise.race([work, this.#late]);
  }
}
