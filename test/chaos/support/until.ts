import { setTimeout as sleep } from "node:timers/promises";

/** Far more than anything takes: what never comes fails in the end. */
const PATIENCE = 240_000;

/** Waits until `condition` holds; an error it throws ends the wait. */
export async function until(
  what: string,
  condition: () => Promise<boolean> | boolean,
  { interval = 25, timeout = PATIENCE }: { interval?: number; timeout?: number } = {},
): Promise<void> {
  const end = performance.now() + timeout;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${timeout} ms in vain until ${what}`);
    await sleep(interval);
  }
}
