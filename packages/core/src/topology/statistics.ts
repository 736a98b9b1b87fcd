import type { Clock } from "../clock.ts";
import type { LatencyPercentiles } from "../report.ts";

/** Milliseconds between two samples of a rate. */
const SAMPLE = 1000;
/** Samples a rate is taken over. */
const SAMPLES = 10;

/** Each bucket is a nineteenth of a power of e wide, which is 5.4 %; the last one ends after a month. */
const RESOLUTION = 19;
const BUCKETS = 29 * RESOLUTION;

/** Counts durations in buckets of one proportion, from a microsecond to weeks, in fixed memory. */
export class Histogram {
  readonly #buckets = new Uint32Array(BUCKETS);
  #count = 0;
  #max = 0;

  record(milliseconds: number, count = 1): void {
    const bucket = Math.floor(Math.log1p(Math.max(0, milliseconds) * 1000) * RESOLUTION);
    (this.#buckets[Math.min(bucket, BUCKETS - 1)] as number) += count;
    this.#max = Math.max(this.#max, milliseconds);
    this.#count += count;
  }

  percentiles(): LatencyPercentiles {
    return { p50: this.#at(0.5), p90: this.#at(0.9), p99: this.#at(0.99), max: this.#max };
  }

  #at(share: number): number {
    let left = this.#count * share;
    const bucket = this.#buckets.findIndex((count) => (left -= count) <= 0);
    return Math.min(this.#max, Math.expm1((bucket + 1) / RESOLUTION) / 1000);
  }
}

interface Sample {
  readonly at: number;
  readonly counts: readonly number[];
}

/** The speed of counters that only grow, over about the last ten seconds. */
export class Rates {
  readonly #clock: Clock;
  readonly #read: () => readonly number[];
  readonly #samples: Sample[] = [];

  constructor(clock: Clock, read: () => readonly number[]) {
    this.#clock = clock;
    this.#read = read;
    this.sample(clock.now());
  }

  /** To be called now and then; takes a sample a second at most. */
  sample(now: number): void {
    const last = this.#samples.at(-1);
    if (last && now - last.at < SAMPLE) return;
    this.#samples.push({ at: now, counts: this.#read() });
    if (this.#samples.length > SAMPLES + 1) this.#samples.shift();
  }

  /** By how much each counter grows in a second. */
  perSecond(): number[] {
    const now = this.#clock.now();
    this.sample(now);
    const counts = this.#read();
    const samples = [...this.#samples, { at: now, counts }];
    const began = Math.max(now - SAMPLE * SAMPLES, (samples[0] as Sample).at);
    if (now <= began) return counts.map(() => 0);
    const next = samples.findIndex(({ at }) => at > began);
    const [before, after] = samples.slice(next - 1) as [Sample, Sample];
    // Samples may be far apart, for none is taken while nothing is acknowledged, nor asked.
    const share = (began - before.at) / (after.at - before.at);
    return counts.map((count, index) => {
      const [low, high] = [before.counts[index], after.counts[index]] as [number, number];
      return ((count - low - (high - low) * share) / (now - began)) * 1000;
    });
  }
}
