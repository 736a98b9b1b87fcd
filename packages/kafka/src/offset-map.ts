import { crc32 } from "node:zlib";
import type { TopicPartition } from "./client.ts";

/** Offsets of one stretch that have been done: from the first to before the second. */
export type Range = readonly [from: number, to: number];

/** What has been done beyond what is committed. */
export interface OffsetMap {
  /** The committed offset it belongs to; no range begins before it. */
  readonly base: number;
  /** The leader epoch of the last record it tells of: what a later leader wrote at these offsets is something else. */
  readonly leaderEpoch: number;
  /** In order, neither touching nor overlapping. */
  readonly done: readonly Range[];
}

/** Says whose text this is, and in which version: groups are shared with other clients and with other releases. */
const PREFIX = "westend1:";
/** Version, checksum, base, leader epoch, and how the rest is written. */
const HEADER = 1 + 4 + 8 + 4 + 1;
const VERSION = 1;
/** As the lengths of what is not done and what is done, in turns; short where few stretches are long. */
const LENGTHS = 0;
/** As one bit for each offset from the base on; short where many stretches are short. */
const BITS = 1;
/** Nobody may make us hold more: as many ranges as the longest text has bytes. */
const LONGEST_TEXT = 65_536;

/**
 * Text to be stored with a commit, of at most `maxLength` characters: as many of the first ranges as fit. Empty if none does. */
export function encodeOffsetMap(
  where: TopicPartition,
  { base, leaderEpoch, done }: OffsetMap,
  maxLength: number,
): string {
  const room = Math.floor((maxLength - PREFIX.length) / 4) * 3 - HEADER;
  const lengths = writeLengths(base, done, room);
  const bits = writeBits(base, done, room);
  // Whichever tells of more; of two that tell of all, the shorter one.
  const useBits =
    bits.end > lengths.end ||
    (bits.end === lengths.end && bits.bytes.length < lengths.bytes.length);
  const body = useBits ? bits.bytes : lengths.bytes;
  if (body.length === 0) return "";
  const bytes = Buffer.alloc(HEADER + body.length);
  bytes.writeUInt8(VERSION, 0);
  bytes.writeBigInt64BE(BigInt(base), 5);
  bytes.writeInt32BE(leaderEpoch, 13);
  bytes.writeUInt8(useBits ? BITS : LENGTHS, 17);
  bytes.set(body, HEADER);
  bytes.writeUInt32BE(checksum(where, bytes), 1);
  return PREFIX + bytes.toString("base64");
}

/** What was written, and up to which offset it tells. */
interface Body {
  readonly bytes: ArrayLike<number>;
  readonly end: number;
}

function writeLengths(base: number, done: readonly Range[], room: number): Body {
  const bytes: number[] = [];
  let end = base;
  for (const [from, to] of done) {
    const before = bytes.length;
    appendVarint(bytes, from - end);
    appendVarint(bytes, to - from);
    if (bytes.length > room) {
      bytes.length = before;
      break;
    }
    end = to;
  }
  return { bytes, end };
}

function writeBits(base: number, done: readonly Range[], room: number): Body {
  const limit = base + room * 8;
  const end = Math.min(limit, done.at(-1)?.[1] ?? base);
  const bytes = new Uint8Array(Math.max(0, Math.ceil((end - base) / 8)));
  for (const [from, to] of done) {
    for (let offset = from; offset < Math.min(to, end); offset++) {
      const bit = offset - base;
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
    }
  }
  // Nothing is told if the first range lies behind the room there is.
  return (done[0]?.[0] ?? end) < end ? { bytes, end } : { bytes: [], end: base };
}

/**
 * What a text says, if it was written by {@link encodeOffsetMap} for this partition and this commit. Anything else gives undefined,
 * and what it may have told of is done again: this must never make a message be passed over.
 */
export function decodeOffsetMap(
  where: TopicPartition,
  base: number,
  text: string,
): OffsetMap | undefined {
  if (!text.startsWith(PREFIX) || text.length > LONGEST_TEXT) return undefined;
  const coded = text.slice(PREFIX.length);
  const bytes = Buffer.from(coded, "base64");
  // Node passes over what is not base64.
  if (bytes.length <= HEADER || bytes.toString("base64") !== coded) return undefined;
  if (bytes.readUInt8(0) !== VERSION) return undefined;
  if (bytes.readUInt32BE(1) !== checksum(where, bytes)) return undefined;
  if (Number(bytes.readBigInt64BE(5)) !== base) return undefined;
  const kind = bytes.readUInt8(17);
  const read = kind === LENGTHS ? readLengths : kind === BITS ? readBits : undefined;
  const done = read?.(bytes, base);
  return done && { base, leaderEpoch: bytes.readInt32BE(13), done };
}

function readLengths(bytes: Buffer, base: number): Range[] | undefined {
  const done: Range[] = [];
  let at = HEADER;
  let end = base;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) return NaN;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    return NaN;
  };
  while (at < bytes.length) {
    const from = end + varint();
    end = from + varint();
    // Ranges do not touch: else it would not have been written so.
    const least = done.length === 0 ? base : (done.at(-1) as Range)[1] + 1;
    if (!(from >= least && end > from && end <= Number.MAX_SAFE_INTEGER)) return undefined;
    done.push([from, end]);
  }
  return done;
}

function readBits(bytes: Buffer, base: number): Range[] | undefined {
  const done: Range[] = [];
  const end = base + (bytes.length - HEADER) * 8;
  if (end > Number.MAX_SAFE_INTEGER) return undefined;
  let from = -1;
  for (let offset = base; offset <= end; offset++) {
    const bit = offset - base;
    const isDone = offset < end && ((bytes[HEADER + (bit >> 3)] ?? 0) & (1 << (bit & 7))) !== 0;
    if (isDone && from < 0) from = offset;
    if (isDone || from < 0) continue;
    done.push([from, offset]);
    from = -1;
  }
  return done.length > 0 ? done : undefined;
}

/** Over the place too: a text that was copied from elsewhere does not fit. */
function checksum({ topic, partition }: TopicPartition, bytes: Buffer): number {
  return crc32(bytes.subarray(5), crc32(`${partition} ${topic}`));
}

function appendVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}
