import { ProducerError, type Clock, type Timer } from "westend";
import type { SqliteClient } from "./client.ts";
import { PendingWork, type Work } from "./pending-work.ts";
import { Transaction } from "./transaction.ts";

/** Milliseconds of one turn of the event loop that transactions may take up before others have theirs. */
const LONGEST_TURN = 4;

const LONGEST_PAUSE = 50;

export interface SubmitOptions {
  /**
   * How many of the 100 places of a transaction it takes.
   * @defaultValue 1
   */
  readonly weight?: number;
  /** Commits at once, and everything waiting with it. */
  readonly urgent?: boolean;
  /** Gives up if it has not been run when the signal aborts. */
  readonly signal?: AbortSignal | undefined;
}

export interface GroupCommitOptions {
  readonly client: SqliteClient;
  readonly clock: Clock;
  /** Milliseconds that work may wait for other work. */
  readonly linger: number;
  /** Milliseconds to try for while another process holds the lock. */
  readonly patience: number;
}

/** Runs work in order, in transactions shared by what arrives within a few milliseconds. */
export class GroupCommit {
  readonly #clock: Clock;
  readonly #linger: number;
  readonly #transaction: Transaction;
  readonly #pending = new PendingWork();
  #committedAt = -Infinity;
  #timer: Timer;
  /** Until the event loop has had its turn, or the lock may be free. */
  #resting = false;
  /** Milliseconds that transactions have taken up in this turn of the event loop. */
  #spent = 0;

  constructor({ client, clock, linger, patience }: GroupCommitOptions) {
    this.#clock = clock;
    this.#linger = linger;
    this.#transaction = new Transaction(client, clock, patience);
  }

  /** Whether the work being run, or one that shared its transaction, has thrown `TryAgain` before. */
  get isSecondTry(): boolean {
    return this.#transaction.isSecondTry;
  }

  /**
   * Resolves with what `run` returns once that is committed. `run` is called within a transaction, and again if that had to be
   * rolled back: it must not change anything outside of the database.
   */
  submit<Result>(run: () => Result, options: SubmitOptions = {}): Promise<Result> {
    const { weight = 1, urgent = false, signal } = options;
    return new Promise((resolve, reject) => {
      const flags = { alone: false, again: false, settled: false };
      const work: Work = { run, weight, urgent, ...flags, resolve, reject };
      this.#pending.push(work);
      this.#consider();
      if (signal !== undefined && !work.settled) this.#watch(work, signal);
    });
  }

  #watch(work: Work, signal: AbortSignal): void {
    const giveUp = (): void => {
      if (work.settled) return;
      work.settled = true;
      this.#pending.remove(work);
      work.reject(signal.reason);
    };
    signal.addEventListener("abort", giveUp, { once: true });
    const forget = (): void => signal.removeEventListener("abort", giveUp);
    const { resolve, reject } = work;
    work.resolve = (result) => (forget(), resolve(result));
    work.reject = (error) => (forget(), reject(error));
    if (signal.aborted) giveUp();
  }

  /** The first after a pause is committed at the end of this turn of the event loop; those that follow it closely share a transaction. */
  #consider(): void {
    if (this.#resting || this.#spent > LONGEST_TURN || this.#pending.isEmpty) return;
    if (this.#pending.isDue) return this.#flush();
    if (this.#timer !== undefined) return;
    const wait = this.#committedAt + this.#linger - this.#clock.now();
    if (wait <= 0) return this.#rest(() => this.#flush());
    this.#timer = this.#clock.setTimer(() => {
      this.#timer = undefined;
      if (!this.#resting) this.#flush();
    }, wait);
  }

  /** Commits one group, and the next if this turn of the event loop still has time for it. */
  #flush(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
    const group = this.#pending.take();
    if (group.length === 0) return;
    const started = this.#clock.now();
    const outcome = this.#transaction.attempt(group);
    if (outcome !== "settled") this.#pending.putBack(group);
    if (outcome === "busy") return this.#pause();
    this.#committedAt = this.#clock.now();
    this.#spend(this.#committedAt - started);
    this.#consider();
  }

  #spend(time: number): void {
    if (this.#spent === 0) {
      this.#clock.defer(() => {
        this.#spent = 0;
        this.#consider();
      });
    }
    // The least there is makes it differ from a new turn, with a clock that stands still.
    this.#spent += Math.max(time, Number.MIN_VALUE);
  }

  #rest(then: () => void): void {
    this.#resting = true;
    this.#clock.defer(() => {
      this.#resting = false;
      then();
    });
  }

  #pause(): void {
    this.#resting = true;
    this.#clock.setTimer(
      () => {
        this.#resting = false;
        this.#flush();
      },
      1 + Math.random() * LONGEST_PAUSE,
    );
  }

  /** Resolves when everything submitted so far has been settled. */
  async drain(): Promise<void> {
    if (this.#pending.isEmpty) return;
    // Work of no weight runs after all that is waiting.
    await this.submit(() => undefined, { weight: 0, urgent: true }).catch((error: unknown) => {
      if (!(error instanceof ProducerError)) throw error;
    });
  }
}
