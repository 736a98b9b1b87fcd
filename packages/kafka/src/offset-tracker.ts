import type { TopicPartition } from "./client.ts";
import { decodeOffsetMap, encodeOffsetMap, type Range } from "./offset-map.ts";

/** A message that was handed over; the tracker alone marks it. */
export interface Tracked {
  readonly offset: number;
  readonly leaderEpoch: number;
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number;
  /** It has ended, and need not come again. */
  done: boolean;
}

/** What is to be committed for a partition. */
export interface Commit {
  readonly offset: number;
  readonly metadata: string;
}

/** How many finished messages at the head of the window are kept before they are cut off. */
const SLACK = 1024;

/**
 * How far one partition has come, for as long as it is ours: pure state, no clock and no I/O. What is committed is the offset of the first
 * message that has not ended; gaps that compaction and transactions leave count as ended when a later message has been fetched.
 */
export class OffsetTracker {
  readonly #where: TopicPartition;
  /** Handed over, by offset; those before `#head` have been accounted for, and are gone. */
  readonly #window: (Tracked | undefined)[] = [];
  #head = 0;
  /** The offset behind everything that was handed over or passed over. */
  #position: number;
  #committed: number;
  #committedMetadata: string;
  /** What an earlier owner had done already. */
  #known: readonly Range[];
  readonly #knownEpoch: number;
  #range = 0;
  #outstanding = 0;
  #changed = false;
  /** Messages that were not handed over because they had been done before. */
  skipped = 0;

  /** `committed` is where to begin; `metadata` what was stored with it. */
  constructor(where: TopicPartition, committed: number, metadata = "") {
    this.#where = where;
    this.#position = committed;
    this.#committed = committed;
    this.#committedMetadata = metadata;
    const map = decodeOffsetMap(where, committed, metadata);
    this.#known = map?.done ?? [];
    this.#knownEpoch = map?.leaderEpoch ?? -1;
  }

  /** Messages that were handed over and have not ended. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** The offset behind everything that was handed over or passed over. */
  get position(): number {
    return this.#position;
  }

  /** The first offset that has not ended. */
  get low(): number {
    return this.#window[this.#head]?.offset ?? this.#position;
  }

  /** The oldest message that has not ended. */
  get oldest(): Tracked | undefined {
    return this.#window[this.#head];
  }

  get committed(): number {
    return this.#committed;
  }

  /** How far what was handed over is ahead of the oldest that has not ended. */
  get ahead(): number {
    return this.#position - this.low;
  }

  /** Whether a message that was fetched has been done before; then it is passed over. To be asked in order of the offsets. */
  knows(message: Tracked): boolean {
    if (!this.#isKnown(message)) return false;
    message.done = true;
    this.skipped++;
    this.#append(message);
    return true;
  }

  /** Takes note of a message that is about to be handed over. */
  take(message: Tracked): void {
    this.#outstanding++;
    this.#append(message);
  }

  /** Everything before `position` was fetched: what has not come does not exist. */
  passed(position: number): void {
    if (position <= this.#position) return;
    this.#position = position;
    this.#changed = true;
  }

  /** The message has ended; once is enough. */
  done(message: Tracked): void {
    if (message.done) return;
    message.done = true;
    this.#outstanding--;
    this.#changed = true;
    this.#advance();
  }

  /** What is committed is not where this begins: it is to be committed even if nothing ends. */
  rewind(): void {
    this.#committed = -1;
    this.#changed = true;
  }

  /** What to commit now; undefined if that is what was committed last. `maxMetadata` is in characters. */
  commit(maxMetadata: number): Commit | undefined {
    if (!this.#changed) return undefined;
    const offset = this.low;
    const metadata = this.#describe(offset, maxMetadata);
    if (offset === this.#committed && metadata === this.#committedMetadata) {
      this.#changed = false;
      return undefined;
    }
    return { offset, metadata };
  }

  /** The broker has taken it. */
  confirm({ offset, metadata }: Commit): void {
    this.#committed = offset;
    this.#committedMetadata = metadata;
  }

  #describe(base: number, maxMetadata: number): string {
    const done: Range[] = [];
    let leaderEpoch = -1;
    for (let index = this.#head; index < this.#window.length; index++) {
      const message = this.#window[index] as Tracked;
      if (!message.done) continue;
      // One that hangs must not hold the content of all behind it.
      if (!(message instanceof Place)) this.#window[index] = new Place(message);
      const { offset } = message;
      const last = done.at(-1);
      if (last?.[1] === offset) done[done.length - 1] = [last[0], offset + 1];
      else done.push([offset, offset + 1]);
      ({ leaderEpoch } = message);
    }
    for (const [from, to] of this.#known.slice(this.#range)) {
      // Not fetched again yet, but still known of.
      if (to <= this.#position) continue;
      const start = Math.max(from, this.#position);
      const last = done.at(-1);
      if (last?.[1] === start) done[done.length - 1] = [last[0], to];
      else done.push([start, to]);
      leaderEpoch = this.#knownEpoch;
    }
    return done.length === 0
      ? ""
      : encodeOffsetMap(this.#where, { base, leaderEpoch, done }, maxMetadata);
  }

  #append(message: Tracked): void {
    this.#position = message.offset + 1;
    this.#changed = true;
    this.#window.push(message);
    this.#advance();
  }

  #isKnown({ offset, leaderEpoch }: Tracked): boolean {
    // A later leader wrote here: what lies behind was written again too, and has not been done.
    if (leaderEpoch > this.#knownEpoch) this.#known = [];
    while (this.#range < this.#known.length && (this.#known[this.#range] as Range)[1] <= offset) {
      this.#range++;
    }
    const range = this.#known[this.#range];
    return range !== undefined && range[0] <= offset;
  }

  #advance(): void {
    const window = this.#window;
    // Let go of at once: what outlives a young collection or two is expensive to get rid of.
    while (window[this.#head]?.done === true) window[this.#head++] = undefined;
    if (this.#head === window.length) {
      window.length = 0;
      this.#head = 0;
    } else if (this.#head >= SLACK && this.#head * 2 >= window.length) {
      window.splice(0, this.#head);
      this.#head = 0;
    }
  }
}

/** What is kept of a message that has ended before others: its content may be let go. */
class Place implements Tracked {
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly timestamp: number;
  done: boolean = true;

  constructor({ offset, leaderEpoch, timestamp }: Tracked) {
    this.offset = offset;
    this.leaderEpoch = leaderEpoch;
    this.timestamp = timestamp;
  }
}
