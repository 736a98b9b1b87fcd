import type { Clock } from "westend";

/** Waits for so many milliseconds of this clock; rejects with its reason once the signal aborts. */
export function sleep(clock: Clock, milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clock.clearTimer(timer);
      reject(signal.reason as Error);
    });
  });
}
