import type { Job } from "../src/rival.ts";
import type { Tally } from "../src/tally.ts";

/** Broadway's figures on two cores, expressed through loops measured in the same run (performance.md, section 4). */
export const LOOPS_TO_BROADWAY = { plain: 19, batched: 31, waiting: 1.72 };

const numbers = new Map<number, readonly number[]>();

/** 0, 1, 2, …; the same array for all who ask for so many. */
export function numbered(count: number): readonly number[] {
  const made = numbers.get(count) ?? Array.from({ length: count }, (_, index) => index);
  // One for each contender at most.
  if (numbers.size > 20) numbers.clear();
  numbers.set(count, made);
  return made;
}

/** Ten handlers that do nothing but count. */
export function plainJob(style: Job["style"]) {
  return (messages: number, tally: Tally): Job => ({
    items: numbered(messages),
    concurrency: 10,
    style,
    work: (item) => tally.see(item as number),
  });
}

/** Ten handlers that do nothing, and batches of a hundred that count. */
export function batchJob(style: Job["style"]) {
  return (messages: number, tally: Tally): Job => ({
    items: numbered(messages),
    concurrency: 10,
    style,
    work: (item) => item,
    batch: {
      size: 100,
      write: (batch) => {
        for (const item of batch) tally.see(item as number);
      },
    },
  });
}
