/** A pending timer, as {@link Clock.setTimer} made it; opaque to everyone but that clock. */
export type Timer = unknown;

/** Where a pipeline gets its time from; every timer and every duration goes through it. */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary moment; for durations. */
  now(): number;
  /** Milliseconds since the Unix epoch; for showing to people, never for durations. */
  date(): number;
  setTimer(callback: () => void, milliseconds: number): Timer;
  clearTimer(timer: Timer): void;
  /** Runs the callback soon, after pending I/O and timers had their turn. */
  defer(callback: () => void): void;
}

/** Node truncates longer timers to one millisecond. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** The machine's own clock; what a pipeline uses unless told otherwise. */
export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  setTimer: (callback, milliseconds) => setTimeout(callback, Math.min(milliseconds, LONGEST_TIMER)),
  clearTimer: (timer) => clearTimeout(timer as NodeJS.Timeout),
  defer: (callback) => {
    setImmediate(callback);
  },
};
