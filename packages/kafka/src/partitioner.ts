import type { Buffer } from "node:buffer";

const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;

/** The hash by which Java's clients choose partitions; ours must agree with theirs, or a key would be in two partitions. */
export function murmur2(bytes: Buffer): number {
  const { length } = bytes;
  let hash = SEED ^ length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    let word = Math.imul(bytes.readInt32LE(at), MULTIPLIER);
    word ^= word >>> 24;
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER);
  }
  const rest = length - at;
  if (rest > 0) hash = Math.imul(hash ^ bytes.readUIntLE(at, rest), MULTIPLIER);
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return hash ^ (hash >>> 15);
}

/** Chooses partitions: by key, and without one the next each time, for all that are written together. */
export class Partitioner {
  #turn = 0;

  /** Records without a key go elsewhere from now on; each batch of them is in one partition, which is cheapest. */
  turn(): void {
    this.#turn++;
  }

  choose(key: Buffer | undefined, partitions: number): number {
    if (key === undefined) return this.#turn % partitions;
    return (murmur2(key) & 0x7fff_ffff) % partitions;
  }
}
