import { vi } from "vitest";

/** Waits until it is so; far longer than it takes, so that a busy machine fails nothing. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  try {
    await vi.waitUntil(isSo, { timeout: 60_000, interval: 20 });
  } catch (cause) {
    throw new Error(`waited in vain until ${what}`, { cause });
  }
}
