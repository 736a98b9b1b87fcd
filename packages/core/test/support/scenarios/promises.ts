import type { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import type { Wait } from "./plan.ts";

/** The first promise that was broken in this run: a pipeline takes what is thrown inside it for a failure of the user's. */
let broken: Error | undefined;

/** What Westend promises does not hold: fails the run. */
export function demand(holds: boolean, promise: string, detail?: () => string): asserts holds {
  if (holds) return;
  broken ??= new Error(`The promise is broken: ${promise}. ${detail?.() ?? ""}`.trim());
  throw broken;
}

/** Forgets what was broken before. */
export function trustPromises(): void {
  broken = undefined;
}

/** Throws the first promise that was broken since the last call, wherever that was. */
export function checkPromises(): void {
  const error = broken;
  broken = undefined;
  if (error !== undefined) throw error;
}

/** A wait in virtual time; rejects with the signal's reason when that aborts first. */
export function pass(
  clock: VirtualClock,
  milliseconds: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      signal?.removeEventListener("abort", abort);
      settle();
    };
    const abort = (): void => {
      clock.clearTimer(timer);
      end(() => reject(signal?.reason as Error));
    };
    const timer = clock.setTimer(() => end(resolve), milliseconds);
    if (signal?.aborted === true) abort();
    else signal?.addEventListener("abort", abort);
  });
}

/** Does something after a wait, or at once and without a promise. */
export function after<Value>(
  clock: VirtualClock,
  wait: Wait,
  signal: AbortSignal | undefined,
  then: () => Value,
): Value | Promise<Value> {
  return wait === null ? then() : pass(clock, wait, signal).then(then);
}

/** The how-manieth of a list that is gone through over and over. */
export function turnOf<Item>(list: readonly Item[], index: number): Item {
  return list[index % list.length] as Item;
}
