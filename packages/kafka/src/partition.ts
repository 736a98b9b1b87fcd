import type { Fetched, KafkaRecord, RecordCursor, TopicPartition } from "./client.ts";
import { KafkaMessage } from "./message.ts";
import { OffsetTracker } from "./offset-tracker.ts";
import type { Outbox } from "./outbox.ts";

export type OrderBy = "key" | "partition" | "none";

/** One partition for as long as it is ours: what has been fetched of it, what was handed over, and how far it has come. */
export class Partition implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly tracker: OffsetTracker;
  /** What its messages have given rise to, where that is written with their commit. */
  readonly outbox: Outbox | undefined;
  readonly #orderBy: OrderBy;
  readonly #name: string;
  /** Fetched, not yet handed over. */
  readonly #fetched: RecordCursor[] = [];
  #next: KafkaMessage | undefined;
  /** Handed over before, to be handed over again; by offset. */
  readonly #again: KafkaMessage[] = [];
  #back = 0;
  /** Bytes of the messages that came back and have not been handed over again. */
  waiting: number = 0;
  /** Where to fetch from. */
  fetchOffset: number;
  /** The offset behind the last record there is, as far as we know. */
  end: number;
  /** A poll is under way that asks for it. */
  polling: boolean = false;
  paused: boolean = false;
  /** It is about to begin anew: nothing more of it is handed over. */
  leaving: boolean = false;
  /** Its next message is not due yet. */
  delayed: boolean = false;
  /** It belongs to somebody else now, or begins anew: what ends from here on does not count. */
  gone: boolean = false;
  /** The offset behind which a finite source ends. */
  target: number = Infinity;

  constructor(
    { topic, partition }: TopicPartition,
    offset: number,
    metadata: string,
    orderBy: OrderBy,
    outbox?: Outbox,
  ) {
    this.topic = topic;
    this.partition = partition;
    this.tracker = new OffsetTracker({ topic, partition }, offset, metadata);
    this.#orderBy = orderBy;
    this.outbox = outbox;
    this.#name = `${topic}-${partition}`;
    this.fetchOffset = offset;
    this.end = offset;
  }

  /** Bytes fetched and not handed over. */
  get buffered(): number {
    let bytes = this.#next?.size ?? 0;
    for (const cursor of this.#fetched) bytes += cursor.bytes;
    return bytes;
  }

  /** Everything that is to come has ended. */
  get finished(): boolean {
    return this.tracker.low >= this.target;
  }

  /** What a poll brought. */
  add({ records, end }: Fetched): void {
    this.end = Math.max(end, this.fetchOffset);
    if (records === undefined) return;
    this.#fetched.push(records);
    this.fetchOffset = records.end;
  }

  /** The next message to hand over, if there is one. */
  peek(): KafkaMessage | undefined {
    return this.#again[0] ?? this.#skipDone();
  }

  /** Messages that the pipeline has at the moment: not those that failed and wait for another time. */
  get out(): number {
    return this.tracker.outstanding - this.#back;
  }

  /** Hands over what `peek` gave. */
  shift(): void {
    const again = this.#again.shift();
    if (again !== undefined) {
      this.#back--;
      this.waiting -= again.size;
      return;
    }
    if (this.#next !== undefined) this.tracker.take(this.#next);
    this.#next = undefined;
  }

  /** Something is to be handed over again, which has its place already. */
  get hasAgain(): boolean {
    return this.#again.length > 0;
  }

  /** The pipeline has given one back, which will be handed over again. */
  cameBack({ size }: KafkaMessage): void {
    this.#back++;
    this.waiting += size;
  }

  /** One that came back is to be handed over again now. */
  redeliver(message: KafkaMessage): void {
    this.outbox?.drop(message.offset);
    const index = this.#again.findIndex(({ offset }) => offset > message.offset);
    this.#again.splice(index < 0 ? this.#again.length : index, 0, message);
  }

  /** Moves on to an offset further on; what lies between is not there any more. What was fetched before comes first. */
  jump(offset: number): void {
    this.fetchOffset = offset;
    this.#fetched.push({ end: offset, bytes: 0, next: () => undefined });
  }

  close(): void {
    this.gone = true;
    this.#fetched.length = 0;
    this.#again.length = 0;
    this.#next = undefined;
  }

  /** The next record that has not been done before. */
  #skipDone(): KafkaMessage | undefined {
    while (this.#next === undefined) {
      const cursor = this.#fetched[0];
      if (cursor === undefined) return undefined;
      const record = cursor.next();
      if (record === undefined) {
        this.#fetched.shift();
        this.tracker.passed(cursor.end);
        continue;
      }
      const message = new KafkaMessage(record, this.#keyOf(record), this);
      if (!this.tracker.knows(message)) this.#next = message;
    }
    return this.#next;
  }

  /** Text with one character for each byte: unlike decoding it, this never takes two keys for one. */
  #keyOf({ key }: KafkaRecord): string | undefined {
    if (this.#orderBy === "partition") return this.#name;
    return this.#orderBy === "none" ? undefined : key?.toString("latin1");
  }
}
