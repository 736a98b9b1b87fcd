import { errors } from "./protocol.ts";

/** Where the fields of a record batch are (message format 2). */
const BATCH_LENGTH = 8;
const LEADER_EPOCH = 12;
const LAST_OFFSET_DELTA = 23;
const MAX_TIMESTAMP = 35;
const PRODUCER_ID = 43;
const BASE_SEQUENCE = 53;
/** What stands before the part that `BATCH_LENGTH` counts. */
const HEAD = 12;

interface Batch {
  readonly first: bigint;
  readonly last: bigint;
  readonly maxTimestamp: bigint;
  readonly bytes: Buffer;
}

interface Sequence {
  readonly last: number;
  /** The offset that the last batch was given. */
  readonly offset: bigint;
}

/** What producers have written to a partition: batches as they came, each with its offset. */
export class PartitionLog {
  readonly #batches: Batch[] = [];
  readonly #sequences = new Map<bigint, Sequence>();
  readonly #appended = new Set<() => void>();
  #start = 0n;
  #end = 0n;

  /** The first offset there is. */
  get start(): bigint {
    return this.#start;
  }

  /** The offset that comes next. */
  get end(): bigint {
    return this.#end;
  }

  /** Appends all batches of `records`; gives the offset of the first. */
  append(records: Buffer): { offset: bigint; error: number } {
    let offset: bigint | undefined;
    for (let at = 0; at < records.length;) {
      const length = records.readInt32BE(at + BATCH_LENGTH) + HEAD;
      const appended = this.#appendBatch(Buffer.from(records.subarray(at, at + length)));
      if (appended.error !== errors.none) return appended;
      offset ??= appended.offset;
      at += length;
    }
    for (const wake of this.#appended) wake();
    return { offset: offset ?? this.#end, error: errors.none };
  }

  /** Whole batches from the one that holds `offset`, at least one if there is any. */
  read(offset: bigint, maxBytes: number): Buffer {
    const bytes: Buffer[] = [];
    let left = maxBytes;
    for (let index = this.#indexOf(offset); index < this.#batches.length; index++) {
      const batch = this.#batches[index]!.bytes;
      left -= batch.length;
      if (bytes.length > 0 && left < 0) break;
      bytes.push(batch);
    }
    return Buffer.concat(bytes);
  }

  /** Where the first batch begins that has something of `timestamp` or later. */
  offsetAt(timestamp: bigint): { offset: bigint; timestamp: bigint } | undefined {
    const batch = this.#batches.find(({ maxTimestamp }) => maxTimestamp >= timestamp);
    return batch && { offset: batch.first, timestamp: batch.maxTimestamp };
  }

  /** Forgets what lies before `offset`, as retention would. */
  deleteBefore(offset: bigint): void {
    this.#start = offset;
    while (this.#batches[0] !== undefined && this.#batches[0].last < offset) this.#batches.shift();
  }

  /** Calls `wake` at each append until the function given back is called. */
  onAppend(wake: () => void): () => void {
    this.#appended.add(wake);
    return () => this.#appended.delete(wake);
  }

  /** Of the batch that holds `offset`, or of the first after it. */
  #indexOf(offset: bigint): number {
    let [low, high] = [0, this.#batches.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#batches[middle]!.last < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #appendBatch(bytes: Buffer): { offset: bigint; error: number } {
    const delta = bytes.readInt32BE(LAST_OFFSET_DELTA);
    const producer = bytes.readBigInt64BE(PRODUCER_ID);
    const sequence = bytes.readInt32BE(BASE_SEQUENCE);
    const previous = this.#sequences.get(producer);
    if (producer >= 0n && previous !== undefined && sequence !== previous.last + 1)
      return sequence <= previous.last
        ? { offset: previous.offset, error: errors.none }
        : { offset: -1n, error: errors.outOfOrderSequence };

    const first = this.#end;
    const last = first + BigInt(delta);
    bytes.writeBigInt64BE(first);
    bytes.writeInt32BE(0, LEADER_EPOCH);
    this.#batches.push({ first, last, bytes, maxTimestamp: bytes.readBigInt64BE(MAX_TIMESTAMP) });
    this.#end = last + 1n;
    if (producer >= 0n) this.#sequences.set(producer, { last: sequence + delta, offset: first });
    return { offset: first, error: errors.none };
  }
}
