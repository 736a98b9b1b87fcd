import { AssertionError } from "node:assert/strict";
import type { Clock } from "../../clock.ts";
import type { VirtualClock } from "../virtual-clock.ts";

/** Milliseconds of a virtual clock. */
const LIMIT = 60_000;

export interface TimeOptions {
  readonly clock: Clock;
  /** The clock, if it is virtual. */
  readonly virtual: VirtualClock | undefined;
  /** Real milliseconds. */
  readonly patience: number;
}

/** Waits, on a virtual clock or on the machine's. */
export class Time {
  readonly clock: Clock;
  readonly #virtual: VirtualClock | undefined;
  readonly #patience: number;

  constructor({ clock, virtual, patience }: TimeOptions) {
    this.clock = clock;
    this.#virtual = virtual;
    this.#patience = patience;
  }

  /** Milliseconds of the clock within which whatever is waited for has to come. */
  get limit(): number {
    return this.#virtual === undefined ? this.#patience : LIMIT;
  }

  /** Fails unless the condition comes true in time. */
  async until(condition: () => boolean, what: string): Promise<void> {
    if (await this.within(this.limit, condition)) return;
    throw new AssertionError({ message: `${what}: waited for in vain` });
  }

  /** The promise, or a failure if it does not settle in time. */
  async settled<Value>(promise: PromiseLike<Value> | Value, what: string): Promise<Value> {
    const { state } = this.watch(promise);
    await this.until(() => state.settled, what);
    return promise;
  }

  /** Follows a promise without waiting for it. */
  watch(promise: unknown): { readonly state: { settled: boolean } } {
    const state = { settled: false };
    const settle = (): void => {
      state.settled = true;
    };
    Promise.resolve(promise).then(settle, settle);
    return { state };
  }

  /** Lets so many milliseconds of the clock pass. */
  async pass(milliseconds: number): Promise<void> {
    await this.within(milliseconds, () => false, false);
  }

  /** Whether the condition comes true within so many milliseconds of the clock. */
  within(milliseconds: number, condition: () => boolean, patient = true): Promise<boolean> {
    return this.#virtual === undefined
      ? this.#really(milliseconds, condition)
      : this.#virtually(this.#virtual, milliseconds, condition, patient);
  }

  async #virtually(
    clock: VirtualClock,
    milliseconds: number,
    condition: () => boolean,
    patient: boolean,
  ): Promise<boolean> {
    const state = { over: false };
    const timer = clock.setTimer(() => {
      state.over = true;
    }, milliseconds);
    try {
      while (!state.over) {
        await clock.settle();
        if (condition()) return true;
        await clock.next(() => !condition());
      }
    } finally {
      clock.clearTimer(timer);
    }
    // Virtual time may have outrun I/O that is real.
    return patient ? this.#really(this.#patience, condition) : condition();
  }

  async #really(milliseconds: number, condition: () => boolean): Promise<boolean> {
    const end = performance.now() + milliseconds;
    while (!condition()) {
      if (performance.now() >= end) return false;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return true;
  }
}
