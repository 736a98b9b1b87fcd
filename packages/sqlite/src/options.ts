import type { Clock, DeadLetter } from "westend";
import type { QueuePayload } from "westend/connector";
import type { SqliteClient } from "./client.ts";
import type { SqliteQueue } from "./queue.ts";

/** Which database: a path or a connection of yours. */
export interface SqliteDatabaseOptions {
  /** The file; created if missing, its folder is not. Give this or `client`. */
  readonly path?: string | undefined;
  /**
   * A connection of `node:sqlite` or `better-sqlite3`. It is switched to write-ahead logging and not closed;
   * leave no transaction of yours open on it over an `await`.
   */
  readonly client?: SqliteClient | undefined;
  /**
   * `full` survives a power cut; `normal` survives a crash of the process only, and is faster.
   * @defaultValue `"full"`
   */
  readonly synchronous?: "full" | "normal" | undefined;
  /**
   * Milliseconds to keep trying while another process holds the lock.
   * @defaultValue 30_000
   */
  readonly busyTimeout?: number | undefined;
}

export interface SqliteQueueOptions extends SqliteDatabaseOptions {
  /**
   * Several queues may live in one file.
   * @defaultValue `"default"`
   */
  readonly name?: string | undefined;
  /**
   * Milliseconds a single enqueue or acknowledgement may wait for others to share its transaction.
   * @defaultValue 5
   */
  readonly linger?: number | undefined;
  /**
   * Dates leases and delays, which processes share: it must not differ between them.
   * @defaultValue `systemClock`
   */
  readonly clock?: Clock | undefined;
}

export interface SqliteOptions extends SqliteDatabaseOptions {
  /** A queue of yours, in place of `path`: what is enqueued through it is taken at once. It is not closed. */
  readonly queue?: SqliteQueue | undefined;
  /**
   * The queue's name, with `path` or `client`.
   * @defaultValue `"default"`
   */
  readonly name?: string | undefined;
  /**
   * Milliseconds until others get a message whose process has died. It is prolonged while the message is being worked on.
   * @defaultValue 30_000
   */
  readonly lease?: number | undefined;
  /**
   * Milliseconds between looks into an empty queue; how soon a message of another process is seen.
   * @defaultValue 100
   */
  readonly idle?: number | undefined;
  /**
   * Ends the source once the queue is empty, with nothing leased or delayed either; for batch jobs.
   * @defaultValue false
   */
  readonly finite?: boolean | undefined;
  /**
   * What becomes of a message that ran out of policy and was not dead-lettered by the pipeline.
   * @defaultValue `"retry"`
   */
  readonly onFailure?: "retry" | "deadLetter" | undefined;
  /**
   * Milliseconds until a failed message is handed out again. What is behind it in its key waits with it, but for what the pipeline has
   * already: that goes on. Where it must not, let the policy retry or `hold` the message.
   * @defaultValue 10_000
   */
  readonly retryDelay?: number | undefined;
}

export interface SqliteDeadLetterOptions extends SqliteDatabaseOptions {
  /** A queue of yours, in place of `path`: its `deadLetters` has what is written, and `redrive` puts it into that queue. */
  readonly queue?: SqliteQueue | undefined;
  /**
   * The queue's name, with `path` or `client`.
   * @defaultValue `"default"`
   */
  readonly name?: string | undefined;
  /**
   * Milliseconds after which letters are deleted, at the next write.
   * @defaultValue never
   */
  readonly ttl?: number | undefined;
  /**
   * What to store in place of the payload: masks or encrypts it. `redrive` undoes it with `edit`.
   * @defaultValue the payload as it is
   */
  readonly seal?: ((letter: DeadLetter) => QueuePayload) | undefined;
  /**
   * What makes a letter recognisable if it is written again after a crash; `undefined` if nothing does.
   * Messages of a SQLite queue need none, they have an id.
   * @defaultValue none: after a crash at the wrong moment a letter of another source may be there twice
   */
  readonly identify?: ((letter: DeadLetter) => string | undefined) | undefined;
}
