import type { Clock } from "../clock.ts";
import type { LatencyPercentiles } from "../report.ts";

/** Milliseconds between two samples of a rate. */
const SAMPLE = 1000;
/** Samples a rate is taken over. */
const SAMPLES = 10;

/** Counts durations in buckets that are at most 6 % wide, from a microsecond to days, in fixed memory. */
export class Histogram {
  readonly #buckets = new Uint32Array(16 * 40);
  #count = 0;
  #max = 0;

  record(milliseconds: number, count = 1): void {
    const value = Math.max(0, milliseconds * 1000);
    this.#max = Math.max(this.#max, milliseconds);
    this.#count += count;
    const bucket = value < 16 ? Math.floor(value) : bucketOf(value);
    (this.#buckets[bucket] as number) += count;
  }

  percentiles(): LatencyPercentiles {
    return { p50: this.#at(0.5), p90: this.#at(0.9), p99: this.#at(0.99), max: this.#max };
  }

  #at(share: number): number {
    let left = Math.ceil(this.#count * share);
    if (left === 0) return 0;
    for (let bucket = 0; bucket < this.#buckets.length; bucket++) {
      left -= this.#buckets[bucket] as number;
      if (left <= 0) return Math.min(this.#max, upperBound(bucket) / 1000);
    }
    return this.#max;
  }
}

/** Sixteen buckets for each power of two. */
function bucketOf(value: number): number {
  const power = Math.min(42, Math.floor(Math.log2(value)));
  return Math.min(16 * 40 - 1, (power - 3) * 16 + Math.floor(value / 2 ** (power - 4)) - 16);
}

function upperBound(bucket: number): number {
  if (bucket < 16) return bucket + 1;
  const power = Math.floor(bucket / 16) + 3;
  return ((bucket % 16) + 17) * 2 ** (power - 4);
}

/** The speed of counters that only grow, over about the last ten seconds. */
export class Rates {
  readonly #clock: Clock;
  readonly #read: () => readonly number[];
  #sampledAt: number;
  readonly #samples: { readonly at: number; readonly counts: readonly number[] }[] = [];

  constructor(clock: Clock, read: () => readonly number[]) {
    this.#clock = clock;
    this.#read = read;
    this.#sampledAt = clock.now();
    this.#samples.push({ at: this.#sampledAt, counts: read() });
  }

  /** To be called now and then; takes a sample a second at most. */
  sample(now: number): void {
    if (now - this.#sampledAt < SAMPLE) return;
    this.#sampledAt = now;
    this.#samples.push({ at: now, counts: this.#read() });
    if (this.#samples.length > SAMPLES + 1) this.#samples.shift();
  }

  /** By how much each counter grows in a second. */
  perSecond(): number[] {
    const now = this.#clock.now();
    const counts = this.#read();
    const began = now - SAMPLE * SAMPLES;
    const first = this.#samples.findLast(({ at }) => at <= began) ?? this.#samples[0];
    if (first === undefined || now <= first.at) return counts.map(() => 0);
    return counts.map(
      (count, index) => ((count - (first.counts[index] ?? 0)) / (now - first.at)) * 1000,
    );
  }
}
