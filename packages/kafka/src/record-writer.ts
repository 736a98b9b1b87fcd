import { type Clock, systemClock } from "westend";
import type { RecordBatch, RecordClient, SendResult } from "./client.ts";
import { KafkaError, KafkaWriteError } from "./errors.ts";
import { Partitioner } from "./partitioner.ts";
import type { EncodedRecord } from "./record.ts";
import { isFault, isPermanent, remedyFor } from "./write-errors.ts";

/** Bytes of one request: what is more goes with the next. */
const REQUEST_BYTES = 16 * 1024 * 1024;
/** Records of one request have at most so many times the time that the first of them has left. */
const PATIENCE = 2;
const FIRST_WAIT = 100;
const LONGEST_WAIT = 1_000;

export interface RecordWriterOptions {
  readonly client: RecordClient;
  /** Bytes of one partition in one request, as the broker limits them. */
  readonly batchBytes: number;
  /** Milliseconds from when a record was given to the last try. */
  readonly deliveryTimeout: number;
  readonly clock?: Clock | undefined;
}

/** A record on its way, and whoever waits for it. */
interface Entry {
  readonly record: EncodedRecord;
  readonly deadline: number;
  /** Records given together: one that fails keeps those behind it in its partition back, which would overtake it. */
  readonly group: object;
  readonly signal: AbortSignal | undefined;
  settle(error: KafkaWriteError | undefined): void;
}

/** What waits for one partition, in order. */
interface Lane {
  readonly topic: string;
  readonly partition: number;
  readonly entries: Entry[];
  /** Records in its next batch: fewer while one is sought that the broker refuses. */
  limit: number;
}

/**
 * Writes records and says of each what became of it. There is one request at a time, with all that has come meanwhile: that keeps the
 * order, and a client that numbers its batches must not have them overtake each other.
 */
export class RecordWriter {
  readonly #options: RecordWriterOptions;
  readonly #clock: Clock;
  readonly #partitioner = new Partitioner();
  readonly #lanes = new Map<string, Lane>();
  #arrived: Entry[] = [];
  #running: Promise<void> | undefined;
  /** Rounds in a row in which nothing came through. */
  #failures = 0;

  constructor(options: RecordWriterOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Resolves when all have been dealt with, with an error for each that is not known to be written; in the same order. */
  write(
    records: readonly EncodedRecord[],
    signal?: AbortSignal,
  ): Promise<(KafkaWriteError | undefined)[]> {
    const group = {};
    const deadline = this.#clock.now() + this.#options.deliveryTimeout;
    const outcomes = records.map(
      (record) =>
        new Promise<KafkaWriteError | undefined>((settle) => {
          this.#arrived.push({ record, deadline, group, signal, settle });
        }),
    );
    this.#running ??= this.#run();
    return Promise.all(outcomes);
  }

  /**
   * Finds a topic, so that one that is missing is known before anything is to be written; how many partitions it has.
   * @throws KafkaError that says what to do.
   */
  reach(topic: string): Promise<number> {
    return this.#options.client.partitions(topic);
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.#running;
    await this.#options.client.close();
  }

  async #run(): Promise<void> {
    // What is given in the same go is written together.
    await Promise.resolve();
    while (this.#arrived.length > 0 || this.#lanes.size > 0) {
      if (this.#failures > 0) await this.#pause();
      const before = this.#failures;
      await this.#sort();
      this.#expire();
      const lanes = this.#nextLanes();
      const batches = lanes.map(batchOf);
      if (batches.length > 0) await this.#send(lanes, batches);
      if (this.#failures === before) this.#failures = 0;
    }
    this.#running = undefined;
  }

  /** Finds a partition for what has come. */
  async #sort(): Promise<void> {
    const entries = this.#arrived;
    this.#arrived = [];
    this.#partitioner.turn();
    const counts = new Map<string, number | KafkaError>();
    const homeless: Entry[] = [];
    for (const entry of entries) {
      const { topic } = entry.record;
      if (!counts.has(topic)) counts.set(topic, await this.#count(topic));
      const count = counts.get(topic) as number | KafkaError;
      if (typeof count === "number") this.#enqueue(entry, count);
      else if (count.code === "KAFKA_UNREACHABLE" && !isOver(entry, this.#clock.now())) {
        homeless.push(entry);
      } else refuse(entry, count);
    }
    if (homeless.length === 0) return;
    this.#failures++;
    // Before what has come meanwhile, which must not overtake it.
    this.#arrived = [...homeless, ...this.#arrived];
  }

  #count(topic: string): Promise<number | KafkaError> {
    return this.#options.client.partitions(topic).catch((cause: unknown) =>
      cause instanceof KafkaError
        ? cause
        : new KafkaError("KAFKA_UNREACHABLE", `Topic "${topic}" could not be asked for.`, {
            cause,
          }),
    );
  }

  #enqueue(entry: Entry, partitions: number): void {
    const { topic, key, partition = this.#partitioner.choose(key, partitions) } = entry.record;
    if (partition >= partitions) {
      const message = `A record is for partition ${partition} of topic "${topic}", which has ${partitions}. Leave \`partition\` out, or add partitions.`;
      entry.settle(new KafkaWriteError("KAFKA_REFUSED", message, { topic, partition }));
      return;
    }
    const place = `${topic}:${partition}`;
    const lane = this.#lanes.get(place);
    if (lane !== undefined) lane.entries.push(entry);
    else this.#lanes.set(place, { topic, partition, entries: [entry], limit: Infinity });
  }

  /** Gives up what nobody waits for any more, and what was tried for too long. */
  #expire(): void {
    const now = this.#clock.now();
    for (const [place, lane] of this.#lanes) {
      const { topic, partition } = lane;
      for (const entry of lane.entries.slice()) {
        if (!isOver(entry, now)) continue;
        const error = new KafkaWriteError(
          "KAFKA_NOT_WRITTEN",
          `A record for ${topic}[${partition}] was not written: there was no more time.`,
          { topic, partition },
        );
        giveUp(lane, entry.group, error);
      }
      if (lane.entries.length === 0) this.#lanes.delete(place);
    }
  }

  /** The lanes whose first batches go together, those that have waited longest before the others. */
  #nextLanes(): Lane[] {
    const now = this.#clock.now();
    const lanes: Lane[] = [];
    let bytes = 0;
    let [least, most] = [Infinity, 0];
    for (const [place, lane] of [...this.#lanes]) {
      if (lanes.length > 0 && bytes + this.#options.batchBytes > REQUEST_BYTES) break;
      const left = timeOf(lane, now);
      // A request ends when the first of its records runs out of time: the others would be given up with it.
      if (Math.max(most, left) > PATIENCE * Math.min(least, left)) continue;
      least = Math.min(least, left);
      lanes.push(lane);
      const length = together(lane.entries, now + PATIENCE * least);
      lane.limit = Math.min(lane.limit, length, fitting(lane.entries, this.#options.batchBytes));
      const entries = lane.entries.slice(0, lane.limit);
      most = Math.max(most, ...entries.slice(-1).map(({ deadline }) => deadline - now));
      bytes += entries.reduce((sum, { record }) => sum + record.size, 0);
      // To the end of the queue; it is taken out when it is empty.
      this.#lanes.delete(place);
      this.#lanes.set(place, lane);
    }
    return lanes;
  }

  async #send(lanes: readonly Lane[], batches: readonly RecordBatch[]): Promise<void> {
    const now = this.#clock.now();
    const left = Math.max(1, Math.min(...lanes.map((lane) => timeOf(lane, now))));
    const results = await this.#options.client.send(batches, left);
    for (const [index, lane] of lanes.entries()) {
      const { length } = (batches[index] as RecordBatch).records;
      this.#sent(lane, length, results[index] as SendResult);
      if (lane.entries.length === 0) this.#lanes.delete(`${lane.topic}:${lane.partition}`);
    }
  }

  #sent(lane: Lane, length: number, result: SendResult): void {
    if (result === "written") {
      for (const { settle } of lane.entries.splice(0, length)) settle(undefined);
      lane.limit = Infinity;
      return;
    }
    const { outcome, brokerError } = result;
    if (isFault(brokerError) && length > 1) {
      // One of them is to blame.
      lane.limit = length >> 1;
      return;
    }
    const error = writeError(lane, result);
    if (isPermanent(brokerError)) {
      for (const { settle } of lane.entries.splice(0, length)) settle(error);
      return;
    }
    this.#failures++;
    if (outcome === "notWritten") return;
    for (const { group } of lane.entries.slice(0, length)) giveUp(lane, group, error);
  }

  #pause(): Promise<void> {
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * this.#failures);
    return new Promise((resolve) => void this.#clock.setTimer(resolve, wait));
  }
}

/** Nobody waits for it any more, or it was tried for too long. */
function isOver({ signal, deadline }: Entry, now: number): boolean {
  return signal?.aborted === true || now >= deadline;
}

/** There is no telling where it belongs. */
function refuse({ record: { topic }, settle }: Entry, cause: KafkaError): void {
  const code = cause.code === "KAFKA_AUTHORIZATION" ? "KAFKA_REFUSED" : "KAFKA_NOT_WRITTEN";
  settle(new KafkaWriteError(code, `A record was not written. ${cause.message}`, { topic, cause }));
}

/** Milliseconds its first record has left, which is the one that has least. */
function timeOf({ entries }: Lane, now: number): number {
  return (entries[0] as Entry).deadline - now;
}

/** How many of the first records run out of time before a moment. */
function together(entries: readonly Entry[], latest: number): number {
  const end = entries.findIndex(({ deadline }) => deadline > latest);
  return end === -1 ? entries.length : end;
}

/** How many of the first records stay below a size; at least one. */
function fitting(entries: readonly Entry[], bytes: number): number {
  let size = 0;
  const end = entries.findIndex(({ record }) => (size += record.size) > bytes);
  return end === -1 ? entries.length : Math.max(1, end);
}

function batchOf({ topic, partition, entries, limit }: Lane): RecordBatch {
  return { topic, partition, records: entries.slice(0, limit).map(({ record }) => record) };
}

function giveUp(lane: Lane, group: object, error: KafkaWriteError): void {
  for (let at = lane.entries.length - 1; at >= 0; at--) {
    const entry = lane.entries[at] as Entry;
    if (entry.group !== group) continue;
    lane.entries.splice(at, 1);
    entry.settle(error);
  }
}

function writeError(
  { topic, partition }: Lane,
  { outcome, brokerError, cause }: Exclude<SendResult, "written">,
): KafkaWriteError {
  const where = `${topic}[${partition}]`;
  const details = { topic, partition, brokerError, cause };
  if (isPermanent(brokerError)) {
    const message = `A record for ${where} is not taken (${brokerError}). ${remedyFor(brokerError)}`;
    return new KafkaWriteError("KAFKA_REFUSED", message, details);
  }
  const said = brokerError === undefined ? "" : ` (${brokerError})`;
  return outcome === "unknown"
    ? new KafkaWriteError(
        "KAFKA_OUTCOME_UNKNOWN",
        `No broker said whether a record for ${where} was written${said}. It may be there; written again it may be there twice.`,
        details,
      )
    : new KafkaWriteError(
        "KAFKA_NOT_WRITTEN",
        `A record for ${where} was not written${said}.`,
        details,
      );
}
