import type { RecordBatch, RecordClient, SendResult } from "../client.ts";
import { type ClientConnection, clientConnection } from "../connection.ts";
import { withEachFirst } from "./each-first.ts";
import { explain, isKafkaError } from "./failures.ts";
import type { KafkaConnectionOptions, KafkaWriteOptions } from "../options.ts";
import { loadLibrary } from "./library.ts";
import { messagesOf } from "./messages.ts";
import { resultsOf } from "./send-results.ts";
import { NoAnswerError, within } from "./within.ts";

/** Milliseconds a broker waits for its followers, and a connection for the broker: a black hole is left behind after the latter. */
const ACKNOWLEDGE_TIMEOUT = 5_000;
const REQUEST_TIMEOUT = 10_000;
const FIRST_WAIT = 50;
const LONGEST_WAIT = 1_000;
/** Tries at finding a topic. */
const TOPIC_TRIES = 3;
/**
 * Tries at what the client takes for the leader. It asks the leader of one partition for all that it sends together, and would go on
 * for ever if they have got different ones since.
 */
const LEADER_TRIES = 5;
/** Somebody else leads the partition. */
const MOVED = [
  "NOT_LEADER_OR_FOLLOWER",
  "LEADER_NOT_AVAILABLE",
  "FENCED_LEADER_EPOCH",
  "UNKNOWN_TOPIC_OR_PARTITION",
];
/** Milliseconds to wait for what a client that is closed has to say of what it was sending. */
const LAST_WORDS = 1_000;

/** The part of the client's producer that is used here. */
interface Producer {
  metadata(options: { readonly topics: string[]; readonly retries: number }): Promise<{
    readonly topics: ReadonlyMap<string, { readonly partitionsCount: number } | undefined>;
  }>;
  send(options: object): Promise<unknown>;
  close(force: boolean): Promise<void>;
  readonly connections: {
    on(event: "connecting", listener: (event: { connection: Connection }) => void): unknown;
  };
}

interface Connection {
  on(event: "error", listener: () => void): unknown;
}

interface ProducerLibrary {
  readonly Producer: new (options: object) => Producer;
}

/** Writes with the idempotent producer of \@platformatic/kafka. One that had to be given up is replaced by a new one. */
export class PlatformaticRecordClient implements RecordClient {
  readonly #options: KafkaWriteOptions;
  #connection: ClientConnection;
  #producer: Promise<Producer> | undefined;
  /** Ends the send that is under way. */
  #abandon: (() => void) | undefined;

  constructor(options: KafkaConnectionOptions & KafkaWriteOptions) {
    this.#options = options;
    this.#connection = clientConnection(options);
  }

  async partitions(topic: string): Promise<number> {
    try {
      return await withEachFirst(this.#connection, (connection) => {
        this.#connection = connection;
        return this.#partitionsOf(topic);
      });
    } catch (cause) {
      throw explain(`finding topic "${topic}"`, cause);
    }
  }

  async #partitionsOf(topic: string): Promise<number> {
    const producer = await this.#open();
    const asked = producer.metadata({ topics: [topic], retries: TOPIC_TRIES - 1 });
    try {
      const patience = this.#connection.connectTimeout + REQUEST_TIMEOUT;
      const { topics } = await within(asked, patience);
      const { partitionsCount = 0 } = topics.get(topic) ?? {};
      if (partitionsCount === 0) throw new Error(`Unknown topic ${topic}.`);
      return partitionsCount;
    } catch (error) {
      // The next one asks another broker first.
      if (error instanceof NoAnswerError) await this.#drop();
      throw error;
    }
  }

  async send(batches: readonly RecordBatch[], timeout: number): Promise<readonly SendResult[]> {
    try {
      const producer = await this.#open();
      const { promise: abandoned, resolve: abandon } = Promise.withResolvers<void>();
      this.#abandon = abandon;
      const timer = setTimeout(abandon, timeout);
      const sending = producer.send({
        messages: batches.flatMap(messagesOf),
        acks: -1,
        compression: this.#options.compression ?? "none",
        // Said once more than in the client's own options: only then does it begin a new session after an error.
        idempotent: true,
      });
      const lastWords = abandoned.then(async () => {
        await this.#drop();
        return within(sending, LAST_WORDS);
      });
      await Promise.race([sending, lastWords]).finally(() => clearTimeout(timer));
      return batches.map(() => "written");
    } catch (error) {
      return resultsOf(error, batches);
    } finally {
      this.#abandon = undefined;
    }
  }

  async close(): Promise<void> {
    await this.#drop();
  }

  #open(): Promise<Producer> {
    this.#producer ??= this.#connect().catch((error: unknown) => {
      this.#producer = undefined;
      throw error;
    });
    return this.#producer;
  }

  async #connect(): Promise<Producer> {
    const { Producer } = await loadLibrary<ProducerLibrary>();
    const producer = new Producer({
      ...this.#connection,
      idempotent: true,
      // It repeats what may have been written with the same number, which the broker knows; we could only write it twice.
      retries: Number.MAX_SAFE_INTEGER,
      retryDelay: this.#retryDelay,
      timeout: ACKNOWLEDGE_TIMEOUT,
      requestTimeout: REQUEST_TIMEOUT,
    });
    // Whoever waits for a connection is told of its end; an event that nobody listens to would end the process.
    producer.connections.on("connecting", ({ connection }) =>
      connection.on("error", () => undefined),
    );
    return producer;
  }

  readonly #retryDelay = (
    _client: unknown,
    operation: string,
    attempt: number,
    _retries: number,
    error: unknown,
  ): number => {
    if (operation === "produce" && attempt >= LEADER_TRIES) {
      if (isKafkaError(error, ...MOVED)) this.#abandon?.();
    }
    return Math.min(LONGEST_WAIT, FIRST_WAIT * attempt);
  };

  async #drop(): Promise<void> {
    const dropped = this.#producer;
    this.#producer = undefined;
    const producer = await dropped?.catch(() => undefined);
    // A connection that hangs may take its time; nothing is sent by it any more.
    await within(producer?.close(true), LAST_WORDS).catch(() => undefined);
  }
}
