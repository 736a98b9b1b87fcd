import type {
  GroupMember,
  Position,
  RecordBatch,
  TransactionClient,
  TransactionResult,
} from "../client.ts";
import { clientConnection } from "../connection.ts";
import { FencedError, KafkaError } from "../errors.ts";
import type { KafkaConnectionOptions, KafkaWriteOptions } from "../options.ts";
import { isPermanent } from "../write-errors.ts";
import { explain, isKafkaError } from "./failures.ts";
import { loadLibrary } from "./library.ts";
import { messagesOf } from "./messages.ts";
import { resultsOf } from "./send-results.ts";
import { within } from "./within.ts";

/** Milliseconds after which the broker ends a transaction whose process has died; whoever takes over waits for it. */
const TRANSACTION_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 15_000;
const RETRIES = 10;
const FIRST_WAIT = 20;
const LONGEST_WAIT = 1_000;
const LAST_WORDS = 1_000;

/** A new session of the id, whoever had it before: the client's own default is to be fenced by it. */
const NEW_SESSION = { producerId: -1n, producerEpoch: -1 };

interface Transaction {
  addConsumer(consumer: { readonly groupId: string }): Promise<void>;
  addOffset(message: object): Promise<void>;
  send(options: object): Promise<unknown>;
  commit(): Promise<void>;
  cancel(): Promise<void>;
}

interface Producer {
  metadata(options: { readonly topics: string[] }): Promise<{
    readonly topics: ReadonlyMap<string, { readonly partitionsCount: number } | undefined>;
  }>;
  beginTransaction(options: object): Promise<Transaction>;
  close(force: boolean): Promise<void>;
  readonly connections: {
    on(event: "connecting", listener: (event: { connection: Connection }) => void): unknown;
  };
}

interface Connection {
  on(event: "error", listener: () => void): unknown;
}

export interface TransactionClientOptions extends KafkaConnectionOptions, KafkaWriteOptions {
  readonly transactionalId: string;
}

/** Transactions with \@platformatic/kafka. After whatever goes wrong it begins a new session, which ends what is open. */
export class PlatformaticTransactionClient implements TransactionClient {
  readonly #options: TransactionClientOptions;
  #producer: Producer | undefined;
  /** When the last transaction began. */
  #began = Infinity;

  constructor(options: TransactionClientOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    const producer = await this.#connect();
    try {
      const transaction = await within(producer.beginTransaction(NEW_SESSION), this.#patience);
      // There is nothing in it that the broker could end.
      await transaction.cancel();
    } catch (cause) {
      await this.#drop();
      if (isFenced(cause)) throw this.#fenced(cause);
      throw explain("beginning a transaction", cause);
    }
  }

  async partitions(topic: string): Promise<number> {
    try {
      const producer = await this.#connect();
      const { topics } = await within(producer.metadata({ topics: [topic] }), this.#patience);
      return topics.get(topic)?.partitionsCount ?? 0;
    } catch (cause) {
      throw explain(`finding topic ${topic}`, cause);
    }
  }

  async run(
    batches: readonly RecordBatch[],
    positions: readonly Position[],
    member: GroupMember,
  ): Promise<TransactionResult> {
    let transaction: Transaction;
    this.#began = performance.now();
    try {
      transaction = await within(this.#fill(batches, positions, member), this.#patience);
    } catch (error) {
      await this.#drop();
      return this.#judge(error, batches);
    }
    try {
      await within(transaction.commit(), this.#patience);
      return "done";
    } catch (error) {
      await this.#drop();
      return isFenced(error) ? this.#fenced(error) : "doubtful";
    }
  }

  close(): Promise<void> {
    return this.#drop();
  }

  get #patience(): number {
    return this.#options.deliveryTimeout ?? 30_000;
  }

  async #fill(
    batches: readonly RecordBatch[],
    positions: readonly Position[],
    { groupId, memberId, generationId, coordinatorId }: GroupMember,
  ): Promise<Transaction> {
    const producer = await this.#connect();
    const transaction = await producer.beginTransaction(NEW_SESSION);
    await transaction.addConsumer({ groupId });
    for (const round of roundsOf(batches)) {
      await transaction.send({
        messages: round.flatMap(messagesOf),
        acks: -1,
        compression: this.#options.compression ?? "none",
        idempotent: true,
      });
    }
    const consumer = { groupId, memberId, generationId, coordinatorId };
    // One after the other: the client would take several at once for one.
    for (const { topic, partition, offset } of positions) {
      const last = { topic, partition, offset: BigInt(offset - 1), metadata: { consumer } };
      await transaction.addOffset(last);
    }
    return transaction;
  }

  /** Nothing of it was committed: the transaction was not ended, and will be given up. */
  #judge(error: unknown, batches: readonly RecordBatch[]): TransactionResult {
    if (isFenced(error)) return this.#fenced(error);
    if (isKafkaError(error, "ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID", "FENCED_INSTANCE_ID")) {
      return "lost";
    }
    for (const [index, result] of resultsOf(error, batches).entries()) {
      if (result === "written" || !isPermanent(result.brokerError)) continue;
      const { topic = "", partition = 0 } = batches[index] ?? {};
      return new KafkaError(
        "KAFKA_TRANSACTION",
        `Kafka: ${topic}[${partition}] does not take what is to be written in a transaction (${result.brokerError}); nothing of it can be left out, so the source stops`,
        { cause: error },
      );
    }
    return "retry";
  }

  #fenced(cause: unknown): KafkaError {
    // The broker says the same of one that it has ended itself; the next session may go on then.
    if (performance.now() - this.#began >= TRANSACTION_TIMEOUT) {
      return new KafkaError(
        "KAFKA_TRANSACTION",
        `Kafka: a transaction took longer than ${TRANSACTION_TIMEOUT} ms, and the broker has ended it; the source begins anew`,
        { cause },
      );
    }
    return new FencedError(
      "KAFKA_TRANSACTION",
      `Kafka: another process has begun with the transactional id "${this.#options.transactionalId}"; give each its own \`transactionalId\``,
      { cause },
    );
  }

  async #connect(): Promise<Producer> {
    if (this.#producer !== undefined) return this.#producer;
    const { Producer } = await loadLibrary<{
      readonly Producer: new (options: object) => Producer;
    }>();
    const producer = new Producer({
      ...clientConnection(this.#options),
      idempotent: true,
      transactionalId: this.#options.transactionalId,
      timeout: TRANSACTION_TIMEOUT,
      requestTimeout: REQUEST_TIMEOUT,
      retries: RETRIES,
      retryDelay: (_: unknown, __: unknown, attempt: number) =>
        Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(attempt, RETRIES)),
    });
    producer.connections.on("connecting", ({ connection }) =>
      connection.on("error", () => undefined),
    );
    this.#producer = producer;
    return producer;
  }

  async #drop(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    // A connection that hangs may take its time; nothing is sent by it any more.
    await within(producer?.close(true), LAST_WORDS).catch(() => undefined);
  }
}

function isFenced(error: unknown): boolean {
  return isKafkaError(error, "PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH");
}

/** A request has one batch of each partition. */
function roundsOf(batches: readonly RecordBatch[]): RecordBatch[][] {
  const rounds: RecordBatch[][] = [];
  const seen = new Map<string, number>();
  for (const batch of batches) {
    const place = `${batch.topic}:${batch.partition}`;
    const round = seen.get(place) ?? 0;
    seen.set(place, round + 1);
    (rounds[round] ??= []).push(batch);
  }
  return rounds;
}
