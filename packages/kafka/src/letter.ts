import { Buffer } from "node:buffer";
import type { DeadLetter } from "westend";
import { describeError } from "westend/connector";
import type { KafkaDeadLetterOptions } from "./options.ts";
import type { EncodedRecord, NewKafkaRecord, RecordBytes } from "./record.ts";

/** What a dead letter's own headers begin with; headers of a message that do, do not come through. */
export const PREFIX = "westend-";

/** On what is no letter but a note that letters have been written back. */
export const MARKER: string = `${PREFIX}redriven`;

type Pair = readonly [name: string, value: RecordBytes];

/** Where a message came from; metadata of Kafka sources has it. */
export interface Origin {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly timestamp: number;
  readonly key: Buffer | null;
  /** Names and values, in turns. */
  readonly rawHeaders: readonly (Buffer | null)[];
  /** Why the message came without its content. */
  readonly defect?: Error | undefined;
}

/** What was kept of a message whose value did not go with it. */
export type Omission = "defect" | "too large" | "not serializable";

/** A dead letter as a record: the key, value and headers of the message, and what became of it in further headers. */
export function recordOf(
  letter: DeadLetter,
  { topic, seal }: Pick<KafkaDeadLetterOptions, "topic" | "seal">,
): NewKafkaRecord {
  const origin = originOf(letter.metadata);
  const sealed = seal?.(letter);
  const value = sealed === undefined ? valueOf(letter.payload) : sealed;
  const omitted = origin?.defect === undefined ? undefined : "defect";
  return {
    topic,
    key: origin === undefined ? keyOf(letter) : origin.key,
    value: value ?? null,
    headers: [
      ...(origin === undefined ? [] : headersOf(origin)),
      ...facts(letter, origin),
      ...present("sealed", sealed === undefined ? undefined : 1),
      ...present("value-omitted", value === undefined ? "not serializable" : omitted),
    ],
  };
}

/** The same without its value, for a topic that does not take it: the message is found where it came from. */
export function withoutValue(record: EncodedRecord): EncodedRecord {
  const headers = new Map(record.headers);
  const reason: Omission = "too large";
  headers.set(Buffer.from(`${PREFIX}value-omitted`), Buffer.from(reason));
  return { ...record, value: undefined, headers, size: record.size - (record.value?.length ?? 0) };
}

/** The place a message came from, if it is one of Kafka's. */
export function originOf(metadata: unknown): Origin | undefined {
  if (typeof metadata !== "object" || metadata === null) return undefined;
  const { topic, partition, offset, rawHeaders } = metadata as Partial<Origin>;
  const ours =
    typeof topic === "string" &&
    typeof partition === "number" &&
    typeof offset === "bigint" &&
    Array.isArray(rawHeaders);
  return ours ? (metadata as Origin) : undefined;
}

/** The letter as it would have been without the retry topics in between: from where the message first came, with all of its attempts. */
export function restore(letter: DeadLetter, origin: Origin): DeadLetter {
  const { topic, partition, offset, timestamp, attempts, receivedAt } = placeOf(origin);
  const first: Origin = { ...origin, topic, partition, offset, timestamp };
  return {
    ...letter,
    metadata: first,
    attempts: letter.attempts + attempts,
    receivedAt: receivedAt ?? letter.receivedAt,
  };
}

/** What the headers of a letter say about where its message came from; what they do not say is where the letter is itself. */
function placeOf(origin: Origin) {
  const facts = factsOf(origin.rawHeaders);
  const number = (name: string): number | undefined => {
    const text = facts.get(name);
    return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  };
  const offset = number("offset");
  return {
    topic: facts.get("topic") ?? origin.topic,
    partition: number("partition") ?? origin.partition,
    offset: offset === undefined ? origin.offset : BigInt(offset),
    timestamp: number("timestamp") ?? origin.timestamp,
    attempts: number("attempts") ?? 0,
    receivedAt: number("received-at"),
  };
}

/** Our own headers, without their prefix. */
export function factsOf(rawHeaders: Origin["rawHeaders"]): Map<string, string> {
  const facts = new Map<string, string>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toString("utf8") ?? "";
    const value = rawHeaders[index + 1];
    if (name.startsWith(PREFIX) && value) facts.set(name.slice(PREFIX.length), value.toString());
  }
  return facts;
}

/** The headers the message came with, without those that only look like ours. */
function* headersOf({ rawHeaders }: Origin): Generator<Pair> {
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toString("utf8") ?? "";
    if (!name.startsWith(PREFIX)) yield [name, rawHeaders[index + 1] ?? null];
  }
}

function* facts(letter: DeadLetter, origin: Origin | undefined): Generator<Pair> {
  const error = describeError(letter.reason);
  yield* present("pipeline", letter.pipeline);
  yield* present("source", letter.source);
  yield* present("batcher", letter.batcher);
  yield* present("topic", origin?.topic);
  yield* present("partition", origin?.partition);
  yield* present("offset", origin?.offset);
  yield* present("timestamp", origin?.timestamp);
  yield* present("attempts", letter.attempts);
  yield* present("received-at", letter.receivedAt);
  yield* present("failed-at", letter.failedAt);
  yield* present("error-name", error.name);
  yield* present("error-code", error.code);
  yield* present("error-message", error.message);
  yield* present("error-stack", error.stack);
}

function* present(
  name: string,
  value: string | number | bigint | null | undefined,
): Generator<Pair> {
  if (value !== undefined && value !== null) yield [`${PREFIX}${name}`, String(value)];
}

function keyOf({ key }: DeadLetter): string | null {
  return key === undefined ? null : String(key);
}

/** Bytes and text as they are, everything else as JSON; undefined if it cannot be. */
function valueOf(payload: unknown): RecordBytes | undefined {
  if (typeof payload === "string" || payload instanceof Uint8Array || payload === null) {
    return payload;
  }
  try {
    return JSON.stringify(payload);
  } catch {
    return undefined;
  }
}

export function isMarker(headers: readonly (Buffer | null)[]): boolean {
  return headers.some((name, index) => index % 2 === 0 && name?.toString() === MARKER);
}
