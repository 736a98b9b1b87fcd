import type { Fate } from "./member.ts";

/** What becomes of messages, by chance, but the same with each run. */
export interface Chances {
  fate(partition: number, offset: number, stage: "processor" | "batcher"): Fate;
  /** From now on nothing fails. */
  calm(): void;
}

const WAITS = [0, 0, 1, 5, 30, 120, 700, 4000] as const;

export function fates(seed: number): Chances {
  const attempts = new Map<string, number>();
  let calm = false;
  return {
    fate(partition, offset, stage) {
      const place = `${partition}:${offset}`;
      const attempt = attempts.get(place) ?? 0;
      attempts.set(place, attempt + 1);
      return fateOf(mixed(seed, partition, offset, attempt), stage, calm);
    },
    calm: () => void (calm = true),
  };
}

function fateOf(chance: number, stage: "processor" | "batcher", calm: boolean): Fate {
  const after = WAITS[chance % WAITS.length] as number;
  const kind = Math.floor(chance / WAITS.length) % 10;
  if (stage === "batcher") return { after, end: kind < 3 && !calm ? "fails" : "succeeds" };
  if (kind < 3) return { after, end: "goes on" };
  if (kind < 5 && !calm) return { after, end: "fails" };
  if (kind === 5) return { after, end: "is dropped" };
  if (kind === 6) return { after, end: "is acknowledged before" };
  return { after, end: "succeeds" };
}

/** One number that looks like chance, made of several. */
function mixed(...numbers: readonly number[]): number {
  let hash = 0x811c9dc5;
  for (const number of numbers) hash = Math.imul(hash ^ number, 0x01000193) ^ (hash >>> 15);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return (hash ^ (hash >>> 16)) >>> 0;
}
