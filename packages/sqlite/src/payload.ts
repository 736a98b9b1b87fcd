import { crc32 } from "node:zlib";
import type { QueuePayload } from "westend/connector";

/**
 * Says how to read a stored payload: 0 as SQLite gives it; 1 text kept as UTF-16 bytes;
 * 2 JSON of something that was neither text nor bytes; 3 a description of what JSON cannot hold.
 */
export type Coding = 0 | 1 | 2 | 3;

export interface StoredPayload {
  readonly value: QueuePayload;
  /** The CRC-32 of the value, and the coding above it: one number, because every column costs at every message. */
  readonly checksum: number;
}

const CODING = 2 ** 32;

export function codingOf(checksum: number): Coding {
  return Math.floor(checksum / CODING) as Coding;
}

function store(value: QueuePayload, coding: Coding): StoredPayload {
  return { value, checksum: crc32(value) + coding * CODING };
}

export function encodePayload(payload: QueuePayload, coding: Coding = 0): StoredPayload {
  // Node 22 cuts TEXT at the first NUL when reading, and UTF-8 has no lone surrogates: neither would come back as given.
  if (typeof payload === "string" && (payload.includes("\0") || !payload.isWellFormed())) {
    return store(Buffer.from(payload, "utf16le"), 1);
  }
  return store(payload, coding);
}

/** The payload as it was given; undefined if the stored bytes are not those that were written. */
export function decodePayload(value: unknown, checksum: number): QueuePayload | undefined {
  if (typeof value !== "string" && !(value instanceof Uint8Array)) return undefined;
  if (crc32(value) !== checksum % CODING) return undefined;
  if (checksum < CODING || codingOf(checksum) !== 1) return value;
  return typeof value === "string" ? undefined : Buffer.from(value).toString("utf16le");
}

/** Bytes a payload takes in memory, near enough for a budget. */
export function sizeOf(payload: QueuePayload): number {
  return typeof payload === "string" ? payload.length : payload.byteLength;
}
