import { Buffer } from "node:buffer";
import { KafkaWriteError } from "./errors.ts";

/** What a record is made of: text is written as UTF-8, null is null. */
export type RecordBytes = string | Uint8Array | null;

/** A record to be written. */
export interface NewKafkaRecord {
  /** @defaultValue the sink's topic */
  readonly topic?: string | undefined;
  /** Records of a key are in one partition, in order; which one, Java's and librdkafka's `murmur2` clients agree. */
  readonly key?: RecordBytes | undefined;
  /** Null is a tombstone. */
  readonly value: RecordBytes;
  /** By name, or in pairs where a name may come twice. */
  readonly headers?:
    | Readonly<Record<string, RecordBytes>>
    | Iterable<readonly [name: string, value: RecordBytes]>
    | undefined;
  /** @defaultValue by the key; without one, the same for all that are written together */
  readonly partition?: number | undefined;
  /**
   * Milliseconds since the Unix epoch.
   * @defaultValue now
   */
  readonly timestamp?: number | undefined;
}

/** A record as it goes over the wire. */
export interface EncodedRecord {
  readonly topic: string;
  readonly partition: number | undefined;
  readonly key: Buffer | undefined;
  readonly value: Buffer | undefined;
  /** Buffers as names: a name that comes twice is there twice. */
  readonly headers: Map<Buffer, Buffer | undefined>;
  readonly timestamp: number | undefined;
  /** Bytes it takes in a batch that is not compressed, at most. */
  readonly size: number;
}

/** Lengths, deltas and attributes of a record; a length before the name and the value of a header. */
const RECORD_OVERHEAD = 36;
const HEADER_OVERHEAD = 10;

/** @throws KafkaWriteError that says what does not fit, without showing it. */
export function encodeRecord(record: NewKafkaRecord, topic: string | undefined): EncodedRecord {
  const target = record.topic ?? topic;
  if (typeof target !== "string" || target === "") {
    throw refused("topic", "a name, or one of the sink", target, undefined);
  }
  const { partition, timestamp } = record;
  if (partition !== undefined && !isCount(partition)) {
    throw refused("partition", "an integer ≥ 0", partition, target);
  }
  if (timestamp !== undefined && !isCount(timestamp)) {
    throw refused("timestamp", "milliseconds since the Unix epoch", timestamp, target);
  }
  const key = encode(record.key ?? null, "key", target);
  const value = encode(record.value, "value", target);
  const headers = encodeHeaders(record.headers, target);
  let size = RECORD_OVERHEAD + (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, content] of headers) {
    size += HEADER_OVERHEAD + name.length + (content?.length ?? 0);
  }
  return { topic: target, partition, key, value, headers, timestamp, size };
}

function encodeHeaders(
  headers: NewKafkaRecord["headers"],
  topic: string,
): Map<Buffer, Buffer | undefined> {
  const encoded = new Map<Buffer, Buffer | undefined>();
  if (headers === undefined) return encoded;
  const pairs = isIterable(headers) ? headers : Object.entries(headers);
  for (const [name, value] of pairs) {
    if (typeof name !== "string") throw refused("headers", "text as names", name, topic);
    encoded.set(Buffer.from(name), encode(value, "headers", topic));
  }
  return encoded;
}

function encode(value: RecordBytes, what: string, topic: string): Buffer | undefined {
  if (value === null) return undefined;
  if (typeof value === "string") return Buffer.from(value);
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  throw refused(what, "text, bytes or null", value, topic);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isIterable(value: object): value is Iterable<readonly [string, RecordBytes]> {
  return Symbol.iterator in value;
}

function refused(
  what: string,
  expected: string,
  got: unknown,
  topic: string | undefined,
): KafkaWriteError {
  const where = topic === undefined ? "A record" : `A record for ${topic}`;
  return new KafkaWriteError(
    "KAFKA_REFUSED",
    `${where}: \`${what}\` must be ${expected}, not ${got === null ? "null" : typeof got}.`,
    { topic },
  );
}
