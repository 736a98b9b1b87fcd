import type { Clock } from "../../../src/clock.ts";
import { demand } from "./promises.ts";

/** Looks at the clock while it stands still that nothing needs which does not spin. */
const MANY = 500_000;

/** A clock that shows in a set which of its timers are pending, and stops what spins. */
export function countingClock(clock: Clock, timers: Set<unknown>): Clock {
  let [at, looks] = [0, 0];
  const look = (): number => {
    const now = clock.now();
    looks = now === at ? looks + 1 : 0;
    at = now;
    demand(looks < MANY, "nothing spins");
    return now;
  };
  return {
    ...clock,
    now: look,
    defer(callback) {
      look();
      clock.defer(callback);
    },
    setTimer(callback, milliseconds) {
      const timer = clock.setTimer(() => {
        timers.delete(timer);
        callback();
      }, milliseconds);
      timers.add(timer);
      return timer;
    },
    clearTimer(timer) {
      timers.delete(timer);
      clock.clearTimer(timer);
    },
  };
}

/** Gives the same numbers in [0, 1) for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
