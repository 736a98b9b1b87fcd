import type { Buffer } from "node:buffer";
import { factsOf, isMarker, PREFIX } from "./letter.ts";
import type { NewKafkaRecord, RecordBytes } from "./record.ts";
import type { Scanned } from "./scan.ts";

/** A dead letter as its topic holds it. */
export interface StoredKafkaLetter {
  /** Where it is in the dead-letter topic. */
  readonly partition: number;
  readonly offset: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Its value is not there: only where its message came from is known. */
  readonly omitted: boolean;
  /** Its value was masked or encrypted by `seal`. */
  readonly sealed: boolean;
  /** The headers of the message: names and values, in turns. */
  readonly rawHeaders: readonly (Buffer | null)[];
  /** Where its message came from. */
  readonly origin: { readonly topic: string; readonly partition: number; readonly offset: bigint };
  readonly pipeline: string;
  readonly batcher: string | undefined;
  readonly attempts: number;
  /** Milliseconds since the Unix epoch. */
  readonly failedAt: number;
  readonly error: {
    readonly name: string;
    readonly code: string | undefined;
    readonly message: string;
  };
}

/** Reads a letter; undefined if it is none, or does not come from Kafka. */
export function readLetter({ partition, record }: Scanned): StoredKafkaLetter | undefined {
  if (record.defect !== undefined || isMarker(record.headers)) return undefined;
  const facts = factsOf(record.headers);
  const number = (name: string): number => Number(facts.get(name) ?? Number.NaN);
  const topic = facts.get("topic");
  const from = number("partition");
  const offset = number("offset");
  if (topic === undefined || !Number.isSafeInteger(from) || !Number.isSafeInteger(offset)) {
    return undefined;
  }
  return {
    partition,
    offset: BigInt(record.offset),
    key: record.key,
    value: record.value,
    omitted: facts.has("value-omitted"),
    sealed: facts.has("sealed"),
    rawHeaders: ownHeaders(record.headers),
    origin: { topic, partition: from, offset: BigInt(offset) },
    pipeline: facts.get("pipeline") ?? "",
    batcher: facts.get("batcher"),
    attempts: number("attempts"),
    failedAt: number("failed-at"),
    error: {
      name: facts.get("error-name") ?? "",
      code: facts.get("error-code"),
      message: facts.get("error-message") ?? "",
    },
  };
}

/** The message as it was, on its way to where it came from. */
export function recordBack(letter: StoredKafkaLetter, value: RecordBytes): NewKafkaRecord {
  const { origin, key, rawHeaders } = letter;
  const headers: [string, Buffer | null][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    headers.push([rawHeaders[index]?.toString() ?? "", rawHeaders[index + 1] ?? null]);
  }
  return { topic: origin.topic, partition: origin.partition, key, value, headers };
}

function ownHeaders(headers: readonly (Buffer | null)[]): (Buffer | null)[] {
  return headers.filter((_, index) => {
    const name = headers[index - (index % 2)]?.toString() ?? "";
    return !name.startsWith(PREFIX);
  });
}
