import type { Clock } from "../clock.ts";

/** Milliseconds a run may take before timers and I/O get their turn. */
export const LONGEST = 4;
/** Steps between two looks at the clock, while steps are short. */
const STRIDE = 32;
/** Looks after which a run ends in any case: a virtual clock stands still, however long it is looked at. */
const LOOKS = 1024;

/** Bounds how long work runs without giving the event loop a turn, so that heartbeats and timers live. */
export class Turn {
  readonly #clock: Clock;
  readonly #resume: () => void;
  #steps = STRIDE;
  #stride = STRIDE;
  #looks = LOOKS;
  #began: number;
  #looked: number;
  #deferred = false;

  constructor(clock: Clock, resume: () => void) {
    this.#clock = clock;
    this.#resume = resume;
    this.#began = clock.now();
    this.#looked = this.#began;
  }

  /** Counts a step; true if the work must stop here: it is resumed after the event loop had its turn. */
  spent(): boolean {
    if (this.#deferred) return true;
    return --this.#steps <= 0 && this.#look();
  }

  // On its own, like all that is rare on the way of a message: what is short is compiled into its caller.
  #look(): boolean {
    const now = this.#clock.now();
    // Steps of a millisecond each must not add up to 32 ms.
    this.#stride = now - this.#looked > 1 ? Math.max(1, this.#stride >> 2) : STRIDE;
    this.#steps = this.#stride;
    this.#looked = now;
    if (now - this.#began < LONGEST && --this.#looks > 0) return false;
    this.#looks = LOOKS;
    this.#deferred = true;
    this.#clock.defer(this.#next);
    return true;
  }

  // Made once: a closure in `spent` would cost an allocation for every step.
  readonly #next = (): void => {
    this.#deferred = false;
    this.#began = this.#clock.now();
    this.#looked = this.#began;
    this.#resume();
  };
}
