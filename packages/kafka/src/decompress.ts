import { gunzipSync, zstdDecompressSync } from "node:zlib";

/** Decoders that Node does not have. */
export interface Codecs {
  snappy(data: Buffer): Buffer;
  /** Frames, not blocks. */
  lz4(data: Buffer): Buffer;
}

/** Beyond this a batch may not grow to more than {@link RATIO} times its size. */
const ALWAYS = 2 ** 20;
const RATIO = 200;

/** How large a batch of this many bytes may become. */
export function mostBytes(compressed: number, maxBytes: number): number {
  return Math.min(maxBytes, Math.max(ALWAYS, compressed * RATIO));
}

/**
 * Decompresses the records of a batch, whose codec is given as in its attributes.
 * @throws if they would take more than `most` bytes, before they take them; or if they are damaged.
 */
export function decompress(codec: number, data: Buffer, most: number, codecs: Codecs): Buffer {
  switch (codec) {
    case 1:
      return bounded(() => gunzipSync(data, { maxOutputLength: most }), most);
    case 2:
      refuseAbove(snappySize(data), most);
      return codecs.snappy(data);
    case 3:
      if (lz4Bound(data) > most) refuseAbove(lz4Size(data), most);
      return codecs.lz4(data);
    case 4:
      return bounded(() => zstdDecompressSync(data, { maxOutputLength: most }), most);
    default:
      throw new Error(`The batch is compressed in a way that is not known (${codec})`);
  }
}

function bounded(run: () => Buffer, most: number): Buffer {
  try {
    return run();
  } catch (error) {
    if ((error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE") refuse(most);
    throw error;
  }
}

function refuseAbove(bytes: number, most: number): void {
  if (bytes > most) refuse(most);
}

function refuse(most: number): never {
  throw new Error(`The batch would take more than ${most} bytes when decompressed`);
}

/** Magic, version and compatible version. */
const XERIAL_HEADER = 16;
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);

/** Each block of Snappy begins with the length it had; Java's clients frame several of them. */
function snappySize(data: Buffer): number {
  if (!data.subarray(0, XERIAL.length).equals(XERIAL)) return varintAt(data, 0);
  let size = 0;
  for (let at = XERIAL_HEADER; at + 4 <= data.length;) {
    const length = data.readUInt32BE(at);
    size += varintAt(data, at + 4);
    at += 4 + length;
  }
  return size;
}

function varintAt(data: Buffer, start: number): number {
  let value = 0;
  for (let index = 0; index < 5; index++) {
    const byte = data.readUInt8(start + index);
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return value;
  }
  throw new Error("The batch is damaged: a length in it never ends");
}

/** Where the blocks of a frame begin, and how large each may become. */
function lz4Frame(data: Buffer): { first: number; largest: number; checksums: boolean } {
  if (data.readUInt32LE(0) !== 0x184d2204)
    throw new Error("The batch is damaged: it is no LZ4 frame");
  const flags = data.readUInt8(4);
  const hasSize = (flags & 0x08) !== 0;
  const hasDictionary = (flags & 0x01) !== 0;
  return {
    first: 7 + (hasSize ? 8 : 0) + (hasDictionary ? 4 : 0),
    largest: 2 ** (8 + 2 * ((data.readUInt8(5) >> 4) & 7)),
    checksums: (flags & 0x10) !== 0,
  };
}

/** Calls back with each block of a frame; `stored` ones are not compressed. */
function forEachBlock(
  data: Buffer,
  visit: (start: number, end: number, stored: boolean) => void,
): void {
  const { first, checksums } = lz4Frame(data);
  for (let at = first; at + 4 <= data.length;) {
    const word = data.readUInt32LE(at);
    const length = word & 0x7fffffff;
    if (length === 0) return;
    visit(at + 4, at + 4 + length, word >>> 31 === 1);
    at += 4 + length + (checksums ? 4 : 0);
  }
}

/** What a frame cannot exceed: cheap, and right but for blocks that are not full. */
function lz4Bound(data: Buffer): number {
  const { largest } = lz4Frame(data);
  let blocks = 0;
  forEachBlock(data, () => blocks++);
  return blocks * largest;
}

/** What a frame decompresses to, by adding up the lengths in it. */
function lz4Size(data: Buffer): number {
  let size = 0;
  forEachBlock(data, (start, end, stored) => {
    size += stored ? end - start : lz4BlockSize(data, start, end);
  });
  return size;
}

function lz4BlockSize(data: Buffer, start: number, end: number): number {
  let at = start;
  let size = 0;
  const extended = (nibble: number): number => {
    let length = nibble;
    for (let byte = nibble === 15 ? 255 : 0; byte === 255; length += byte)
      byte = data.readUInt8(at++);
    return length;
  };
  while (at < end) {
    const token = data.readUInt8(at++);
    const literals = extended(token >> 4);
    at += literals;
    size += literals;
    if (at >= end) return size;
    at += 2;
    size += extended(token & 15) + 4;
  }
  return size;
}
