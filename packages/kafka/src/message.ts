import type { Configurable, Incoming } from "westend";
import type { KafkaRecord } from "./client.ts";
import type { Tracked } from "./offset-tracker.ts";
import type { Partition } from "./partition.ts";

/** What to do instead of what the options say, for one message that failed; for `message.configureAck`. */
export interface KafkaAckOptions {
  readonly onFailure?: "retry" | "commit" | undefined;
  /** Milliseconds until it is handed over again. */
  readonly retryDelay?: number | undefined;
}

/** How many times its content the memory may be that it shares, so that copying it is not worth while. */
const SHARED = 2;

/** What Kafka says about a message. */
export interface KafkaMetadata extends Configurable<KafkaAckOptions> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** Milliseconds since the Unix epoch, as the producer or the broker set it. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  /** By name; of several with one name the last. */
  readonly headers: ReadonlyMap<string, Buffer | null>;
  /** All of them, in order: a name, its value, the next name … */
  readonly rawHeaders: readonly (Buffer | null)[];
  /** Of the leader that wrote it. */
  readonly leaderEpoch: number;
  /** Why the message came without its key, value and headers; undefined if it did not. */
  readonly defect: Error | undefined;
}

/** The message that this is the metadata of, if it is one of ours. */
export function messageOf(metadata: unknown): KafkaMessage | undefined {
  return Metadata.messageOf(metadata);
}

/** A record on its way through a pipeline. */
export class KafkaMessage implements Incoming<Buffer | null, KafkaMetadata>, Tracked {
  payload: Buffer | null;
  readonly key: string | undefined;
  readonly defect: Error | undefined;
  readonly offset: number;
  readonly timestamp: number;
  readonly leaderEpoch: number;
  readonly size: number;
  done: boolean = false;
  /** The partition while it was ours: it tells whether it still is. */
  readonly owner: Partition;
  #record: KafkaRecord;
  #metadata: KafkaMetadata | undefined;

  /** @internal */
  constructor(record: KafkaRecord, key: string | undefined, owner: Partition) {
    this.payload = record.value;
    this.key = key;
    this.defect = record.defect;
    this.offset = record.offset;
    this.timestamp = record.timestamp;
    this.leaderEpoch = record.leaderEpoch;
    this.size = record.size;
    this.owner = owner;
    this.#record = record;
  }

  /** Made when it is first asked for: many handlers never do. */
  get metadata(): KafkaMetadata {
    this.#metadata ??= new Metadata(this, this.#record);
    return this.#metadata;
  }

  /** It is to wait, and would hold all that was fetched with it: from here on it has its content for itself. */
  detach(): void {
    const { key, value, headers } = this.#record;
    const parts = [value, key, ...headers];
    const bytes = parts.reduce((sum, part) => sum + (part?.length ?? 0), 0);
    const shared = parts.find((part) => (part?.buffer.byteLength ?? 0) > SHARED * bytes);
    if (shared === undefined) return;
    const own = Buffer.allocUnsafeSlow(bytes);
    let end = 0;
    const copy = (part: Buffer | null): Buffer | null =>
      part && own.subarray(end, (end += part.copy(own, end)));
    this.payload = copy(value);
    const record = { ...this.#record, value: this.payload, key: copy(key) };
    this.#record = { ...record, headers: headers.map(copy) };
    this.#metadata = undefined;
  }
}

/** Knows its message by a private field: a weak map of all that are under way costs the garbage collector more than they do. */
class Metadata implements KafkaMetadata {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly headers: ReadonlyMap<string, Buffer | null>;
  readonly rawHeaders: readonly (Buffer | null)[];
  readonly leaderEpoch: number;
  readonly defect: Error | undefined;
  readonly #message: KafkaMessage;

  constructor(message: KafkaMessage, { key, headers }: KafkaRecord) {
    this.topic = message.owner.topic;
    this.partition = message.owner.partition;
    this.offset = BigInt(message.offset);
    this.timestamp = message.timestamp;
    this.key = key;
    this.headers = byName(headers);
    this.rawHeaders = headers;
    this.leaderEpoch = message.leaderEpoch;
    this.defect = message.defect;
    this.#message = message;
  }

  static messageOf(metadata: unknown): KafkaMessage | undefined {
    const isOurs = typeof metadata === "object" && metadata !== null && #message in metadata;
    return isOurs ? metadata.#message : undefined;
  }
}

function byName(headers: readonly (Buffer | null)[]): Map<string, Buffer | null> {
  const named = new Map<string, Buffer | null>();
  for (let index = 0; index + 1 < headers.length; index += 2) {
    named.set(headers[index]?.toString("utf8") ?? "", headers[index + 1] ?? null);
  }
  return named;
}
