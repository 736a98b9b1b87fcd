import { DecodeError } from "westend";
import type { KafkaRecord, RecordCursor } from "./client.ts";
import { type Codecs, decompress, mostBytes } from "./decompress.ts";

/** A transaction that was given up; its records from this offset on are not to be seen. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

export interface RecordLimits {
  readonly maxMessageBytes: number;
  readonly maxHeaders: number;
  readonly maxBatchBytes: number;
}

/** What came of a partition in one answer. */
export interface RecordsOptions extends RecordLimits {
  /** Record batches as they are in a log; the last one may be cut off. */
  readonly data: Buffer;
  /** Records before it were not asked for. */
  readonly from: number;
  /** Undefined if uncommitted records are wanted too. */
  readonly aborted: readonly AbortedTransaction[] | undefined;
  readonly codecs: Codecs;
}

/** Base offset and length. */
const HEAD = 12;
/** Where its format is told. */
const MAGIC = 16;
/** Where the records of a batch of version 2 begin. */
const RECORDS = 61;
const CODEC = 0b111;
const LOG_APPEND_TIME = 0b1000;
const TRANSACTIONAL = 0b10000;
const CONTROL = 0b100000;
const NO_HEADERS: readonly (Buffer | null)[] = [];

/**
 * Reads records one by one, and decompresses a batch only when its turn comes: what there is no room for costs nothing.
 * Whatever is wrong with the bytes, it does not throw: what cannot be read comes as a record with a `defect`.
 */
export class RecordReader implements RecordCursor {
  readonly #options: RecordsOptions;
  readonly #data: Buffer;
  /** Where the next batch begins. */
  #next = 0;
  /** The offset behind everything read. */
  #position: number;
  readonly end: number;
  readonly #aborted: AbortedTransaction[];
  /** Producers in a transaction that was given up. */
  readonly #dropped = new Set<bigint>();

  // The open batch.
  #batch: Buffer;
  #at = 0;
  #left = 0;
  #baseOffset = 0;
  #lastOffset = 0;
  #baseTimestamp = 0;
  #appendTimestamp = -1;
  #leaderEpoch = -1;

  constructor(options: RecordsOptions) {
    this.#options = options;
    this.#data = options.data;
    this.#batch = options.data;
    this.#position = options.from;
    this.end = Math.max(options.from, endOf(options.data));
    this.#aborted = [...(options.aborted ?? [])].sort((a, b) => a.firstOffset - b.firstOffset);
  }

  get bytes(): number {
    return this.#data.length - this.#next + (this.#left > 0 ? this.#batch.length - this.#at : 0);
  }

  next(): KafkaRecord | undefined {
    for (;;) {
      if (this.#left === 0) {
        const defect = this.#open();
        if (defect === undefined) return undefined;
        if (defect !== false) return defect;
      }
      while (this.#left > 0) {
        const record = this.#record();
        if (record !== undefined) return record;
      }
    }
  }

  /** Opens the next batch that has records to be seen; undefined if there is none, a record if it cannot be read. */
  #open(): KafkaRecord | false | undefined {
    const data = this.#data;
    const start = this.#next;
    const size = sizeAt(data, start);
    if (size === 0) return this.#end();
    this.#next = start + size;
    this.#baseOffset = Number(data.readBigInt64BE(start));
    const magic = data.readInt8(start + MAGIC);
    if (magic !== 2) return this.#old(magic);

    this.#leaderEpoch = data.readInt32BE(start + 12);
    const attributes = data.readInt16BE(start + 21);
    this.#lastOffset = this.#baseOffset + data.readInt32BE(start + 23);
    this.#baseTimestamp = Number(data.readBigInt64BE(start + 27));
    this.#appendTimestamp =
      (attributes & LOG_APPEND_TIME) === 0 ? -1 : Number(data.readBigInt64BE(start + 35));
    if (this.#lastOffset < this.#position) return false;

    const count = data.readInt32BE(start + 57);
    const records = data.subarray(start + RECORDS, this.#next);
    if (this.#isHidden(attributes, data.readBigInt64BE(start + 43), records)) {
      this.#position = this.#lastOffset + 1;
      return false;
    }
    return this.#decompress(attributes & CODEC, records, count);
  }

  /** A message, or several compressed into one, whose offset is that of the last; where a batch has its epoch it has a checksum. */
  #old(magic: number): KafkaRecord | false {
    this.#leaderEpoch = -1;
    this.#lastOffset = this.#baseOffset;
    this.#baseTimestamp = 0;
    if (this.#lastOffset < this.#position) return false;
    return this.#defect(`is in format ${magic} of Kafka before 0.11, which is not read`);
  }

  #decompress(codec: number, records: Buffer, count: number): KafkaRecord | false {
    try {
      const { maxBatchBytes, codecs } = this.#options;
      const most = mostBytes(records.length, maxBatchBytes);
      this.#batch = codec === 0 ? records : decompress(codec, records, most, codecs);
    } catch (error) {
      return this.#defect(`cannot be decompressed: ${(error as Error).message}`);
    }
    this.#at = 0;
    this.#left = Math.max(0, count);
    if (this.#left === 0) this.#position = this.#lastOffset + 1;
    return false;
  }

  /** Nothing whole is left; a batch that is cut off comes with the next answer. */
  #end(): undefined {
    this.#next = this.#data.length;
    return undefined;
  }

  /** Control records are never seen, and what belongs to a transaction that was given up is not either. */
  #isHidden(attributes: number, producerId: bigint, records: Buffer): boolean {
    const isControl = (attributes & CONTROL) !== 0;
    if (this.#options.aborted === undefined) return isControl;
    while ((this.#aborted[0]?.firstOffset ?? Infinity) <= this.#lastOffset) {
      this.#dropped.add((this.#aborted.shift() as AbortedTransaction).producerId);
    }
    if (isControl) {
      if (isAbortMarker(records)) this.#dropped.delete(producerId);
      return true;
    }
    return (attributes & TRANSACTIONAL) !== 0 && this.#dropped.has(producerId);
  }

  /** The next record of the open batch; undefined if it was not asked for. */
  #record(): KafkaRecord | undefined {
    const start = this.#at;
    try {
      const length = this.#varint();
      const end = this.#at + length;
      if (length < 6 || end > this.#batch.length) throw new RangeError("a record is cut off");
      this.#at++;
      const timestamp = this.#baseTimestamp + this.#varint();
      const offset = this.#baseOffset + this.#varint();
      if (!(offset >= this.#baseOffset && offset <= this.#lastOffset)) {
        throw new RangeError("an offset in it is not of this batch");
      }
      this.#left--;
      if (offset < this.#position) {
        this.#at = end;
        if (this.#left === 0) this.#position = Math.max(this.#position, this.#lastOffset + 1);
        return undefined;
      }
      const record = this.#content(offset, timestamp, length, end);
      this.#at = end;
      // Compaction leaves gaps behind the last record of a batch too.
      this.#position = this.#left === 0 ? this.#lastOffset + 1 : offset + 1;
      return record;
    } catch (error) {
      this.#left = 0;
      this.#at = start;
      return this.#defect(`is damaged: ${(error as Error).message}`);
    }
  }

  #content(offset: number, timestamp: number, length: number, end: number): KafkaRecord {
    const { maxMessageBytes, maxHeaders } = this.#options;
    const record = {
      offset,
      timestamp: this.#appendTimestamp < 0 ? timestamp : this.#appendTimestamp,
      leaderEpoch: this.#leaderEpoch,
      size: length,
    };
    if (length > maxMessageBytes) {
      return without(
        record,
        `it takes ${length} bytes, more than maxMessageBytes (${maxMessageBytes})`,
      );
    }
    const key = this.#bytes(end);
    const value = this.#bytes(end);
    const count = this.#varint();
    if (count > maxHeaders) {
      return without(record, `it has ${count} headers, more than maxHeaders (${maxHeaders})`);
    }
    return { ...record, key, value, headers: this.#headers(count, end), defect: undefined };
  }

  #headers(count: number, end: number): readonly (Buffer | null)[] {
    if (count < 0) throw new RangeError("a number of headers is negative");
    if (count === 0) return NO_HEADERS;
    const headers: (Buffer | null)[] = [];
    for (let index = 0; index < count * 2; index++) headers.push(this.#bytes(end));
    return headers;
  }

  #bytes(end: number): Buffer | null {
    const length = this.#varint();
    if (length < 0) return null;
    const start = this.#at;
    if (start + length > end) throw new RangeError("a field is longer than its record");
    this.#at = start + length;
    return this.#batch.subarray(start, start + length);
  }

  /** A number in zigzag coding; what takes more than 28 bits by multiplication, for shifts would cut it off. */
  #varint(): number {
    const batch = this.#batch;
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = batch[this.#at++];
      if (byte === undefined) throw new RangeError("it ends too early");
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    }
    for (let factor = 2 ** 28; factor <= 2 ** 63; factor *= 128) {
      const byte = batch[this.#at++];
      if (byte === undefined) throw new RangeError("it ends too early");
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    throw new RangeError("a number in it never ends");
  }

  /** One record that stands for all of the open batch that cannot be read. */
  #defect(problem: string): KafkaRecord {
    const offset = Math.max(this.#position, this.#baseOffset);
    const last = Math.max(offset, this.#lastOffset);
    this.#position = last + 1;
    const record = {
      offset,
      timestamp: Math.max(0, this.#baseTimestamp),
      leaderEpoch: this.#leaderEpoch,
      size: 0,
    };
    return without(record, `the batch of offsets ${offset} to ${last} ${problem}`);
  }
}

function without(
  record: Pick<KafkaRecord, "offset" | "timestamp" | "leaderEpoch" | "size">,
  problem: string,
): KafkaRecord {
  const defect = new DecodeError(`the message cannot be taken: ${problem}`);
  // What it takes in memory is nothing: it stays where it is.
  return { ...record, size: 0, key: null, value: null, headers: NO_HEADERS, defect };
}

/** Bytes of the batch, or the message of an older format, that begins here; 0 if it is cut off. */
function sizeAt(data: Buffer, at: number): number {
  if (data.length - at <= MAGIC) return 0;
  const size = HEAD + data.readInt32BE(at + 8);
  const least = data.readInt8(at + MAGIC) < 2 ? MAGIC + 1 : RECORDS;
  return size < least || data.length - at < size ? 0 : size;
}

/** The offset behind the last whole batch; -1 if there is none. */
function endOf(data: Buffer): number {
  let end = -1;
  for (let at = 0, size = 0; (size = sizeAt(data, at)) > 0; at += size) {
    const delta = data.readInt8(at + MAGIC) < 2 ? 0 : data.readInt32BE(at + 23);
    end = Math.max(end, Number(data.readBigInt64BE(at)) + Math.max(0, delta) + 1);
  }
  return end;
}

/** Whether a control record, alone in its batch, ends a transaction that was given up: its key is a version and then 0. */
function isAbortMarker(records: Buffer): boolean {
  let at = 0;
  const skipVarint = (): void => {
    while ((records[at++] ?? 0) >= 0x80);
  };
  skipVarint(); // length
  at++; // attributes
  skipVarint(); // timestamp
  skipVarint(); // offset
  skipVarint(); // length of the key
  return at + 4 <= records.length && records.readInt16BE(at + 2) === 0;
}
