import { setTimeout as sleep } from "node:timers/promises";

const INTERVAL = 25;

/**
 * Waits until `condition` gives something else than `undefined`, `false` or an error.
 * Rejects after `timeout` milliseconds, or at once when `signal` aborts.
 */
export async function until<Value>(
  what: string,
  condition: () => Promise<Value> | Value,
  { timeout = 60_000, signal }: { timeout?: number; signal?: AbortSignal } = {},
): Promise<Exclude<Value, undefined | false>> {
  const end = performance.now() + timeout;
  let reason: unknown;
  for (;;) {
    signal?.throwIfAborted();
    try {
      const value = await condition();
      if (value !== undefined && value !== false) return value as Exclude<Value, undefined | false>;
    } catch (error) {
      reason = error;
    }
    if (performance.now() > end)
      throw new Error(`waited ${timeout} ms in vain until ${what}`, { cause: reason });
    await sleep(INTERVAL);
  }
}
