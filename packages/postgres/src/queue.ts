import { randomUUID } from "node:crypto";
import { StoppedError } from "westend";
import type { NewMessage, QueueCounts, QueuePayload } from "westend/connector";
import { only } from "./catalogue.ts";
import {
  checkEnqueueOptions,
  checkMessages,
  checkNewMessage,
  checkQueueOptions,
} from "./check-options.ts";
import type { PostgresTarget, PostgresTransaction } from "./client.ts";
import { execute } from "./client.ts";
import type { Run } from "./database.ts";
import { DeadLetters } from "./dead-letters.ts";
import { draftOf, enqueue, type Draft } from "./enqueue.ts";
import { anyDue, lease } from "./lease.ts";
import { LeasedMessage } from "./leased-message.ts";
import { listen } from "./listener.ts";
import type { PostgresQueueOptions } from "./options.ts";
import { decodePayload } from "./payload.ts";
import { DELAYED, HELD, READY } from "./schema.ts";
import { Owner } from "./owner.ts";
import { Settlement } from "./settle.ts";
import { Store } from "./store.ts";

/** Messages enqueued or leased by one statement. */
const GROUP = 500;

export interface EnqueueOptions extends Omit<NewMessage, "payload"> {
  /** A transaction of yours: the message is there when it is committed. */
  readonly transaction?: PostgresTransaction | undefined;
}

export interface QueueLeaseOptions {
  /**
   * At most 500.
   * @defaultValue 100
   */
  readonly limit?: number | undefined;
  /**
   * Bytes of payload there is room for; the first message is given in any case.
   * @defaultValue no limit
   */
  readonly bytes?: number | undefined;
  /**
   * Milliseconds until others get the messages.
   * @defaultValue 30_000
   */
  readonly duration?: number | undefined;
  /**
   * Who leases: of a key, later messages go to whoever has the earlier ones.
   * @internal
   */
  readonly owner?: Owner | undefined;
}

/**
 * A durable queue in a PostgreSQL table, which any number of processes may share. Its tables are created at the first call.
 * At least once: a message is handed out again if its lease runs out. All times are those of the server's clock.
 */
export class PostgresQueue {
  readonly name: string;
  /** What could not be handled. */
  readonly deadLetters: DeadLetters;
  /** @internal */
  readonly store: Store;
  /** @internal */
  readonly settlement: Settlement;
  readonly #owner = new Owner();
  readonly #ready = new Set<() => void>();
  readonly #listen: boolean;
  /** Ends it; undefined while nobody listens. */
  #listening: (() => void) | undefined;
  #closed = false;

  /** @internal */
  constructor(target: PostgresTarget, options: PostgresQueueOptions) {
    this.name = options.name ?? "default";
    this.store = new Store(target, options);
    this.deadLetters = new DeadLetters(this.store, this.name);
    this.settlement = new Settlement(this.store);
    this.#listen = options.listen ?? true;
  }

  /**
   * Creates the tables now if they are missing, to learn early that they cannot be.
   * @throws ConfigurationError if the server is too old, or the tables are of a newer release or may not be created.
   */
  async open(): Promise<void> {
    await this.#opened();
  }

  #opened(transaction?: PostgresTransaction): Promise<string> {
    if (!this.#closed) {
      return transaction === undefined ? this.store.open() : this.store.openIn(transaction);
    }
    return Promise.reject(new StoppedError(`The queue "${this.name}" is closed`));
  }

  /** Stores one message; resolves with its id once it is committed. */
  async enqueue(payload: QueuePayload, options: EnqueueOptions = {}): Promise<string> {
    checkEnqueueOptions(options);
    const draft = draftOf({ ...options, payload });
    const { transaction } = options;
    const database = await this.#opened(transaction);
    const run: Run =
      transaction === undefined ? this.#run : async (statement) => execute(transaction, statement);
    const [id] = await this.#store(run, database, [draft]);
    return id as string;
  }

  /** Stores messages in this order, all or none; resolves with their ids once they are committed. */
  async enqueueAll(messages: Iterable<QueuePayload | NewMessage> & object): Promise<string[]> {
    checkMessages(messages);
    const drafts: Draft[] = [];
    for (const message of messages) {
      const isBare = typeof message === "string" || message instanceof Uint8Array;
      if (!isBare) checkNewMessage(message);
      drafts.push(draftOf(isBare ? { payload: message } : message));
    }
    if (drafts.length === 0) return [];
    const database = await this.#opened();
    if (drafts.length <= GROUP) return this.#store(this.#run, database, drafts);
    return this.store.database.transaction(async ({ query }) => {
      const ids: string[] = [];
      for (let start = 0; start < drafts.length; start += GROUP) {
        ids.push(...(await this.#store(query, database, drafts.slice(start, start + GROUP))));
      }
      return ids;
    });
  }

  async #store(run: Run, database: string, drafts: readonly Draft[]): Promise<string[]> {
    const ids = await enqueue(run, this.store, this.name, drafts);
    this.#wake();
    return ids.map((id) => `${database}-${id}`);
  }

  /** Takes messages for a while, in the order in which they were enqueued; of a key only while nobody else has messages of it. */
  async lease(options: QueueLeaseOptions = {}): Promise<LeasedMessage[]> {
    const { limit = 100, bytes = Infinity, duration = 30_000, owner = this.#owner } = options;
    const database = await this.#opened();
    const due = await this.store.database.use((session) => anyDue(session, this.store, this.name));
    if (!due) return [];
    const token = randomUUID();
    const terms = {
      queue: this.name,
      limit: Math.min(limit, GROUP),
      bytes,
      owner: owner.id,
      token,
      duration,
    };
    const rows = await this.store.database
      .transaction((session) => lease(session, this.store, terms))
      .catch((error: unknown) => {
        owner.renew();
        throw error;
      });
    return rows.map((row) => {
      const key = row.key ?? undefined;
      return new LeasedMessage({
        payload: decodePayload(row.payload, row.coding),
        sequence: row.id,
        token,
        leasedAt: row.leased,
        size: row.payload.byteLength,
        metadata: {
          id: `${database}-${row.id}`,
          queue: this.name,
          enqueuedAt: row.enqueued,
          attempts: row.attempts,
          key,
        },
      });
    });
  }

  /** Ends messages; resolves with those whose lease others have by now, which will be handled again. */
  async acknowledge(messages: readonly LeasedMessage[]): Promise<LeasedMessage[]> {
    const lost = await this.settlement.remove(this.#run, messages);
    this.#freed(messages);
    return lost;
  }

  /** Gives messages back unhandled: they are ready at once, and the attempt does not count. Resolves like `acknowledge`. */
  release(messages: readonly LeasedMessage[]): Promise<LeasedMessage[]> {
    return this.giveBack(messages, true);
  }

  /** @internal */
  async giveBack(messages: readonly LeasedMessage[], refund: boolean): Promise<LeasedMessage[]> {
    const lost = await this.settlement.release(this.#run, messages, refund);
    this.#wake();
    return lost;
  }

  /** Gives failed messages back, to be handed out again after so many milliseconds. Resolves like `acknowledge`. */
  retry(messages: readonly LeasedMessage[], delay: number): Promise<LeasedMessage[]> {
    return this.settlement.retry(this.#run, messages, delay);
  }

  /** Keeps messages for so many milliseconds from now. Resolves like `acknowledge`. */
  extend(messages: readonly LeasedMessage[], duration: number): Promise<LeasedMessage[]> {
    return this.settlement.extend(this.#run, messages, duration);
  }

  /**
   * Does several things to leases in one transaction.
   * @internal
   */
  async settle<Result>(work: (run: Run) => Promise<Result>): Promise<Result> {
    await this.#opened();
    const result = await this.store.database.transaction(({ query }) => work(query));
    this.#wake();
    return result;
  }

  /** Counts messages; reads the whole queue. */
  async counts(): Promise<QueueCounts> {
    await this.#opened();
    const result = await this.store.database.query({
      text: `select count(*) filter (where state = ${READY} or due <= clock_timestamp())::float8 as ready,
          count(*) filter (where state = ${HELD} and due > clock_timestamp() and token is not null)::float8 as leased,
          count(*) filter (where due > clock_timestamp() and (state = ${DELAYED} or state = ${HELD} and token is null))::float8 as delayed
        from ${this.store.table("message")} where queue = $1`,
      values: [this.name],
    });
    const counts = only(result) as Omit<QueueCounts, "dead">;
    return { ...counts, dead: await this.deadLetters.count() };
  }

  /** How many messages there are that have not been acknowledged, dead letters apart. */
  async size(): Promise<number> {
    const { ready, leased, delayed } = await this.counts();
    return ready + leased + delayed;
  }

  /** @internal */
  async isEmpty(): Promise<boolean> {
    const result = await this.store.database.query({
      text: `select not exists (select from ${this.store.table("message")} where queue = $1) as empty`,
      values: [this.name],
    });
    return (only(result) as { empty: boolean }).empty;
  }

  /**
   * Calls back when messages may have become ready; returns how to stop that.
   * @internal
   */
  onReady(callback: () => void): () => void {
    this.#ready.add(callback);
    if (this.#listen) {
      this.#listening ??= listen(this.store.database, this.store.channel, (queue) => {
        if (queue === undefined || queue === this.name) this.#wake();
      });
    }
    return () => {
      this.#ready.delete(callback);
      if (this.#ready.size === 0) this.#deafen();
    };
  }

  /** Stops listening. The pool is yours to end. What is leased stays so until its lease runs out. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#deafen();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #run: Run = async (statement) => {
    await this.store.open();
    return this.store.database.query(statement);
  };

  /** What is behind these in their keys may be ready now. */
  #freed(messages: readonly LeasedMessage[]): void {
    if (messages.some(({ key }) => key !== undefined)) this.#wake();
  }

  #wake(): void {
    for (const callback of this.#ready) callback();
  }

  #deafen(): void {
    this.#listening?.();
    this.#listening = undefined;
  }
}

/**
 * A durable queue in a PostgreSQL table.
 * @example
 * ```ts
 * const queue = postgresQueue(pool, { name: "jobs" });
 * await queue.enqueue(JSON.stringify({ id: 1 }), { key: "customer-7" });
 * ```
 * @throws ConfigurationError that lists every mistake in the options.
 */
export function postgresQueue(
  target: PostgresTarget,
  options: PostgresQueueOptions = {},
): PostgresQueue {
  checkQueueOptions(target, options);
  return new PostgresQueue(target, options);
}
