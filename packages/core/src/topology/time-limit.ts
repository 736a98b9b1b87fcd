import type { Clock } from "../clock.ts";
import { HandlerTimeoutError } from "../errors.ts";

/** How long the functions of a processor may take; undefined for as long as they like. */
export interface TimeLimit {
  readonly clock: Clock;
  /** Milliseconds. */
  readonly timeout: number | undefined;
  /** Aborts when nothing counts any more. */
  readonly signal: AbortSignal;
}

/** Says that a function took longer than an option allows; both are named by their paths. */
export function tookTooLong(
  name: string,
  milliseconds: number,
  option = "processor.timeout",
): HandlerTimeoutError {
  return new HandlerTimeoutError(
    `${name} took longer than ${option} allows: ${milliseconds} ms. Raise it, or pass the signal on.`,
  );
}

/** What comes of a promise, or, once its time is up, a rejection; what it still does then no longer counts. */
export function within<Value>(
  { clock, timeout, signal }: TimeLimit,
  name: string,
  promise: PromiseLike<Value>,
  expired: (error: HandlerTimeoutError) => void = () => {},
): PromiseLike<Value> {
  if (timeout === undefined || signal.aborted) return promise;
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(() => {
      const error = tookTooLong(name, timeout);
      stop();
      expired(error);
      reject(error);
    }, timeout);
    const stop = (): void => {
      clock.clearTimer(timer);
      signal.removeEventListener("abort", stop);
    };
    signal.addEventListener("abort", stop);
    Promise.resolve(promise).finally(stop).then(resolve, reject);
  });
}
