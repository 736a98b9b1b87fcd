import { StoppedError, systemClock } from "westend";
import type { NewMessage, QueueCounts, QueuePayload } from "westend/connector";
import { connect } from "./connection.ts";
import { countLetters } from "./dead-letter-filter.ts";
import { DeadLetters } from "./dead-letters.ts";
import { draftOf, enqueue, type Draft } from "./enqueue.ts";
import { GROUP } from "./pending-work.ts";
import type { LeasedMessage } from "./leased-message.ts";
import { OpenedQueue } from "./opened-queue.ts";
import type { SqliteQueueOptions } from "./options.ts";
import { DELAYED, HELD, numberOfQueue, PARKED, READY } from "./schema.ts";
import {
  checkEnqueueOptions,
  checkMessages,
  checkNewMessage,
  checkQueueOptions,
} from "./check-options.ts";
import { NO_TOKEN, Owner } from "./token.ts";

export type EnqueueOptions = Omit<NewMessage, "payload">;

export interface QueueLeaseOptions {
  /**
   * At most 100.
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
}

const COUNT = (condition: string): string =>
  `(SELECT count(*) FROM westend_message WHERE queue = ? AND ${condition})`;
const COUNTS = `SELECT
  ${COUNT(`state = ${READY}`)} AS ready, ${COUNT(`state = ${PARKED}`)} AS parked,
  ${COUNT(`state = ${HELD} AND due > ? AND token <> ${NO_TOKEN}`)} AS leased,
  ${COUNT(`state = ${HELD} AND due > ? AND token = ${NO_TOKEN}`)} AS failed,
  ${COUNT(`state = ${DELAYED} AND due > ?`)} AS later,
  ${COUNT(`state = ${HELD} AND due <= ?`)} + ${COUNT(`state = ${DELAYED} AND due <= ?`)} AS due`;

/**
 * A durable queue in a SQLite file, which any number of processes of one machine may share.
 * The file is opened at the first call. At least once: a message is handed out again if its lease runs out.
 */
export class SqliteQueue {
  readonly name: string;
  /** What could not be handled. */
  readonly deadLetters: DeadLetters;
  readonly #options: SqliteQueueOptions;
  readonly #owner = new Owner();
  #opening: Promise<OpenedQueue> | undefined;
  #closed = false;

  /** @internal */
  constructor(options: SqliteQueueOptions) {
    this.name = options.name ?? "default";
    this.#options = options;
    this.deadLetters = new DeadLetters(() => this.opened());
  }

  /**
   * Opens the file now, to learn early that it cannot be.
   * @throws ConfigurationError if it cannot be opened, is no database, or was written by a newer release.
   */
  async open(): Promise<void> {
    await this.opened();
  }

  /** @internal */
  opened(): Promise<OpenedQueue> {
    if (this.#closed) return Promise.reject(new StoppedError(`The queue "${this.name}" is closed`));
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #open(): Promise<OpenedQueue> {
    const { path, client, synchronous, clock, linger, busyTimeout } = this.#options;
    const connection = await connect({
      path,
      client,
      synchronous: synchronous ?? "full",
      clock: clock ?? systemClock,
      linger: linger ?? 5,
      patience: busyTimeout ?? 30_000,
    });
    try {
      await connection.setUp();
      const number = await connection.write(() => numberOfQueue(connection.client, this.name), {
        urgent: true,
      });
      return new OpenedQueue(connection, this.name, number);
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /** Stores one message; resolves with its id once it is committed, together with others that come within a few milliseconds. */
  async enqueue(payload: QueuePayload, options: EnqueueOptions = {}): Promise<string> {
    checkEnqueueOptions(options);
    const [id] = await this.#store([draftOf({ ...options, payload })]);
    return id as string;
  }

  /**
   * Stores messages in transactions of 100, in this order; resolves with their ids once all are committed.
   * If it rejects, those before some point were stored and those after it were not.
   */
  async enqueueAll(messages: Iterable<QueuePayload | NewMessage> & object): Promise<string[]> {
    checkMessages(messages);
    const drafts: Draft[] = [];
    for (const message of messages) {
      const isBare = typeof message === "string" || message instanceof Uint8Array;
      if (!isBare) checkNewMessage(message);
      drafts.push(draftOf(isBare ? { payload: message } : message));
    }
    if (drafts.length <= GROUP) return drafts.length === 0 ? [] : this.#store(drafts);
    const ids: string[] = [];
    for (let start = 0; start < drafts.length; start += GROUP) {
      ids.push(...(await this.#store(drafts.slice(start, start + GROUP))));
    }
    return ids;
  }

  async #store(drafts: readonly Draft[]): Promise<string[]> {
    const queue = await this.opened();
    const { connection, number } = queue;
    const first = await connection.write(() => enqueue(connection, number, drafts, queue.now), {
      weight: drafts.length,
    });
    queue.enqueued();
    return drafts.map((_, index) => `${connection.file}-${first + index}`);
  }

  /** Takes messages for a while, in the order in which they were enqueued; of a key only while nobody else has messages of it. */
  async lease(options: QueueLeaseOptions = {}): Promise<LeasedMessage[]> {
    const { limit = GROUP, bytes = Infinity, duration = 30_000 } = options;
    const queue = await this.opened();
    return queue.lease({ limit: Math.min(limit, GROUP), bytes, duration, owner: this.#owner });
  }

  /** Ends messages; resolves with those whose lease others have by now, which will be handled again. */
  async acknowledge(messages: readonly LeasedMessage[]): Promise<LeasedMessage[]> {
    const queue = await this.opened();
    const lost = await queue.connection.write(() => queue.settlement.remove(messages), {
      weight: messages.length,
    });
    queue.enqueued();
    return lost;
  }

  /** Gives messages back unhandled: they are ready at once, and the attempt does not count. Resolves like `acknowledge`. */
  async release(messages: readonly LeasedMessage[]): Promise<LeasedMessage[]> {
    const queue = await this.opened();
    const lost = await queue.connection.write(() => queue.settlement.release(messages, true), {
      weight: messages.length,
    });
    queue.enqueued();
    return lost;
  }

  /** Gives failed messages back, to be handed out again after so many milliseconds. Resolves like `acknowledge`. */
  async retry(messages: readonly LeasedMessage[], delay: number): Promise<LeasedMessage[]> {
    const queue = await this.opened();
    return queue.connection.write(
      () => queue.settlement.retry(messages, queue.now + Math.ceil(delay)),
      {
        weight: messages.length,
      },
    );
  }

  /** Keeps messages for so many milliseconds from now. Resolves like `acknowledge`. */
  async extend(messages: readonly LeasedMessage[], duration: number): Promise<LeasedMessage[]> {
    const queue = await this.opened();
    return queue.connection.write(
      () => queue.settlement.extend(messages, queue.now + Math.ceil(duration)),
      { weight: messages.length },
    );
  }

  /** Counts messages. Reads the whole index: some 30 ms for a million. */
  async counts(): Promise<QueueCounts> {
    const { connection, number, now } = await this.opened();
    const row = connection.read(() =>
      connection
        .prepare(COUNTS)
        .get(number, number, number, now, number, now, number, now, number, now, number, now),
    ) as Record<"ready" | "parked" | "leased" | "failed" | "later" | "due", number>;
    const dead = connection.read(() => countLetters(connection, number, {}));
    return {
      ready: row.ready + row.parked + row.due,
      leased: row.leased,
      delayed: row.failed + row.later,
      dead,
    };
  }

  /** How many messages there are that have not been acknowledged, dead letters apart. */
  async size(): Promise<number> {
    const { ready, leased, delayed } = await this.counts();
    return ready + leased + delayed;
  }

  /** Commits what is waiting and closes the file. What is leased stays so until its lease runs out. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const queue = await this.#opening?.catch(() => undefined);
    await queue?.connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * A durable queue in a SQLite file.
 * @example
 * ```ts
 * const queue = sqliteQueue({ path: "jobs.db" });
 * await queue.enqueue(JSON.stringify({ id: 1 }), { key: "customer-7" });
 * ```
 * @throws ConfigurationError that lists every mistake in the options.
 */
export function sqliteQueue(options: SqliteQueueOptions): SqliteQueue {
  checkQueueOptions(options);
  return new SqliteQueue(options);
}
