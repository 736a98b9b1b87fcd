import type {
  CommitResult,
  KafkaDriver,
  Position,
  RecordBatch,
  TransactionClient,
} from "./client.ts";
import { KafkaError, KafkaWriteError } from "./errors.ts";
import { Partitioner } from "./partitioner.ts";
import type { EncodedRecord } from "./record.ts";
import { Outbox, type StagedRecord } from "./outbox.ts";
import type { Partition } from "./partition.ts";

export interface TransactionsOptions {
  readonly driver: KafkaDriver;
  readonly client: TransactionClient;
  readonly batchBytes: number;
  /** It will not get better by itself. */
  failed(error: Error): void;
  /** Another session was opened in place of this one, and has the transactional id. */
  replaced(): boolean;
}

/**
 * Commits positions together with the records that the messages before them have given rise to: all or nothing.
 * Only the contiguous beginning of a partition is committed, so what is written is always of messages that are committed, and of all
 * of them. Whoever takes the partition over waits for the end of our transaction before it reads where to begin.
 */
export class Transactions {
  readonly #options: TransactionsOptions;
  readonly #partitioner = new Partitioner();
  /** Partitions of the last transaction, if nobody said whether it was committed. */
  #doubtful: readonly Partition[] = [];
  #failure: KafkaError | undefined;

  constructor(options: TransactionsOptions) {
    this.#options = options;
  }

  /** Ends what an earlier process of the same transactional id has left open. */
  async open(): Promise<void> {
    await this.#options.client.open();
  }

  /** For a partition that is ours from now on. */
  outbox(): Outbox {
    return new Outbox((record) => this.#place(record));
  }

  /** One at a time; there is a result for each position. */
  async commit(
    partitions: readonly Partition[],
    positions: readonly Position[],
  ): Promise<readonly CommitResult[]> {
    // Whatever is tried now begins with taking the id from who has it by now.
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#options.replaced()) return positions.map(() => "lost");
    try {
      return await this.#commit(partitions, positions);
    } catch (error) {
      if (error instanceof KafkaError && error.code === "KAFKA_TRANSACTION") {
        this.#failure = error;
        this.#options.failed(error);
      }
      throw error;
    }
  }

  async #commit(
    partitions: readonly Partition[],
    positions: readonly Position[],
  ): Promise<readonly CommitResult[]> {
    const { driver, client } = this.#options;
    // Who we are while these partitions are ours: if we join anew meanwhile, the broker refuses all of it.
    const member = await driver.member();
    if (member === undefined) return positions.map(() => "lost");
    if (this.#doubtful.length > 0) await this.#settle();
    const batches = this.#batches(partitions, positions);
    if (batches.length === 0) return driver.commit(positions);
    const result = await client.run(batches, positions, member);
    if (result instanceof Error) throw result;
    if (result === "doubtful") this.#doubtful = partitions;
    if (result === "done") {
      for (const [index, { offset }] of positions.entries())
        partitions[index]?.outbox?.confirm(offset);
    }
    // Refused because we have joined anew meanwhile, and may have kept them.
    const again = result === "doubtful" || (result === "lost" && !driver.isStill(member));
    return positions.map(() => (again ? "retry" : result));
  }

  async close(): Promise<void> {
    await this.#options.client.close();
  }

  async #place({ topic, partition, key }: EncodedRecord): Promise<number> {
    const count = await this.#options.client.partitions(topic);
    const chosen = partition ?? this.#partitioner.choose(key, count);
    if (chosen < count) return chosen;
    throw new KafkaWriteError(
      "KAFKA_REFUSED",
      `Topic "${topic}" has no partition ${chosen}. Leave \`partition\` out, or add partitions.`,
      { topic, partition: chosen },
    );
  }

  /** A new session ends the old one's transaction, one way or the other; what is committed tells which, for all that were in it. */
  async #settle(): Promise<void> {
    const { driver, client } = this.#options;
    const partitions = this.#doubtful;
    await client.open();
    const committed = await driver.committed(partitions);
    for (const [index, { offset }] of committed.entries())
      partitions[index]?.outbox?.confirm(offset);
    this.#doubtful = [];
  }

  #batches(partitions: readonly Partition[], positions: readonly Position[]): RecordBatch[] {
    const places = new Map<string, StagedRecord[]>();
    for (const [index, { outbox }] of partitions.entries()) {
      for (const staged of outbox?.before((positions[index] as Position).offset) ?? []) {
        const place = `${staged.record.topic}:${staged.partition}`;
        const others = places.get(place);
        if (others === undefined) places.set(place, [staged]);
        else others.push(staged);
      }
    }
    return [...places.values()].flatMap((staged) => cut(staged, this.#options.batchBytes));
  }
}

/** Batches of a size, of one partition. */
function cut(staged: readonly StagedRecord[], bytes: number): RecordBatch[] {
  const batches: { topic: string; partition: number; records: StagedRecord["record"][] }[] = [];
  let size = Infinity;
  for (const { record, partition } of staged) {
    size += record.size;
    if (size > bytes) {
      batches.push({ topic: record.topic, partition, records: [] });
      ({ size } = record);
    }
    batches.at(-1)?.records.push(record);
  }
  return batches;
}
