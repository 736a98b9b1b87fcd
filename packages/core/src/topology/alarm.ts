import type { Clock, Timer } from "../clock.ts";

/** One timer, or none. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #timer: Timer | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  get isSet(): boolean {
    return this.#timer !== undefined;
  }

  /** Rings once after so many milliseconds, and no longer when it was to ring before. */
  set(milliseconds: number): void {
    this.clear();
    this.#timer = this.#clock.setTimer(
      () => {
        this.#timer = undefined;
        this.#ring();
      },
      Math.max(0, milliseconds),
    );
  }

  clear(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }
}
