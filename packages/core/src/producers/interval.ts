import type { Timer } from "../clock.ts";
import { check, integer, object } from "../options.ts";
import type { Producer, ProducerContext, ProducerSession } from "../producer.ts";

/** One beat of {@link interval}. */
export interface Tick {
  /** Counts the beats since the pipeline started, from 0; beats nobody had room for are counted, too. */
  readonly tick: number;
  /** When it was due, in milliseconds since the Unix epoch. */
  readonly at: number;
}

/**
 * A message every so many milliseconds, the first after one interval. A pipeline that has no room misses beats; they are not made up for.
 * @throws ConfigurationError if the interval is not a whole number of at least 1
 */
export function interval(milliseconds: number): Producer<Tick, undefined> {
  check("interval(…)", { milliseconds }, object({ milliseconds: integer({ min: 1 }) }));
  return { name: "interval", open: (context) => beat(milliseconds, context) };
}

function beat(milliseconds: number, context: ProducerContext): ProducerSession<Tick, undefined> {
  const { clock } = context;
  const first = clock.now() + milliseconds;
  const firstDate = clock.date() + milliseconds;
  let next = 0;
  let timer: Timer | undefined;
  const stop = (): void => {
    if (timer !== undefined) clock.clearTimer(timer);
    timer = undefined;
  };
  return {
    pull() {
      // Node's timers may come a fraction of a millisecond early.
      const due = Math.floor((clock.now() + 1 - first) / milliseconds);
      if (due >= next) {
        next = due + 1;
        const tick: Tick = { tick: due, at: firstDate + due * milliseconds };
        return [{ payload: tick, metadata: undefined }];
      }
      timer ??= clock.setTimer(
        () => {
          timer = undefined;
          context.wake();
        },
        Math.max(0, first + next * milliseconds - clock.now()),
      );
      return [];
    },
    acknowledge() {},
    drain: stop,
    close: stop,
    idle: Infinity,
  };
}
