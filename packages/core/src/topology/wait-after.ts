import type { Backoff } from "../failure.ts";

/** Milliseconds to wait where the back-off throws, or gives what is no time to wait. */
const FALLBACK = 1000;
/** What is not to be tried again, and is held, waits as after so many attempts: back-offs are made for numbers. */
const MANY = 1_000_000;

/** Milliseconds to wait after an attempt, whatever the back-off does: one of the user's own must cost neither message nor stage. */
export function waitAfter(attempt: number, backoff: Backoff, random: () => number): number {
  try {
    const delay = backoff.delay(Math.min(attempt, MANY), random);
    if (Number.isFinite(delay) && delay >= 0) return delay;
  } catch {
    // As if it gave nothing.
  }
  return FALLBACK;
}
