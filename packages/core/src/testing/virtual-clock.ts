import type { Clock, Timer } from "../clock.ts";
import { check, number, object } from "../options.ts";

/** A clock that stands still until it is told to move. */
export interface VirtualClock extends Clock {
  /**
   * Moves on by so many milliseconds, running each timer at its moment, and everything that follows from it.
   * Rejects with a ConfigurationError if that is no time.
   */
  advance(milliseconds: number): Promise<void>;
  /** Moves on to the next timer and runs it; false if there is none, or if the condition does not hold by then. */
  next(condition?: () => boolean): Promise<boolean>;
  /** Lets everything run that does not wait for time. */
  settle(): Promise<void>;
  /** Timers that are set. */
  readonly timers: number;
}

interface VirtualTimer {
  readonly due: number;
  readonly callback: () => void;
}

/** Turns of the event loop in which nothing more happens before all is taken to be quiet. */
const QUIET = 3;

/**
 * Makes minutes of back-off, batch timeouts and deadlines run in microseconds: give it to `pipeline.start({ clock })`.
 * @param start what `date()` shows at the beginning, in milliseconds since the Unix epoch; 0 by default
 */
export function virtualClock(start = 0): VirtualClock {
  const timers = new Set<VirtualTimer>();
  let now = 0;
  /** Callbacks deferred and not yet run. */
  let deferred = 0;

  const settle = async (): Promise<void> => {
    for (let quiet = 0; quiet < QUIET; quiet = deferred > 0 ? 0 : quiet + 1) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  };
  const earliest = (): VirtualTimer | undefined => {
    let first: VirtualTimer | undefined;
    for (const timer of timers) if (first === undefined || timer.due < first.due) first = timer;
    return first;
  };
  const run = async (timer: VirtualTimer): Promise<void> => {
    timers.delete(timer);
    now = Math.max(now, timer.due);
    timer.callback();
    await settle();
  };
  return {
    now: () => now,
    date: () => start + now,
    setTimer(callback, milliseconds) {
      const timer: VirtualTimer = { due: now + Math.max(0, milliseconds), callback };
      timers.add(timer);
      return timer;
    },
    clearTimer: (timer: Timer) => void timers.delete(timer as VirtualTimer),
    defer(callback) {
      deferred++;
      setImmediate(() => {
        deferred--;
        callback();
      });
    },
    async advance(milliseconds) {
      check("advance", { milliseconds }, object({ milliseconds: number({ min: 0 }) }));
      const target = now + milliseconds;
      await settle();
      for (let timer = earliest(); timer !== undefined && timer.due <= target; timer = earliest()) {
        await run(timer);
      }
      now = target;
    },
    async next(condition = () => true) {
      await settle();
      const timer = earliest();
      if (timer === undefined || !condition()) return false;
      await run(timer);
      return true;
    },
    settle,
    get timers() {
      return timers.size;
    },
  };
}
