import type { DeadLetter } from "westend";
import type { QueuePayload } from "westend/connector";
import type { Columns } from "./column-types.ts";
import type { PostgresQueue } from "./queue.ts";

/** How to reach the server. */
export interface PostgresDatabaseOptions {
  /**
   * Milliseconds a statement may take; then its connection is closed, and it has failed in a way that is worth another try.
   * @defaultValue 10_000
   */
  readonly timeout?: number | undefined;
}

/** Where Westend has its own tables. */
export interface PostgresStoreOptions extends PostgresDatabaseOptions {
  /**
   * The schema of the tables. It and they are created if they are missing and the user may; else by whoever may, once.
   * @defaultValue `"westend"`
   */
  readonly schema?: string | undefined;
}

export interface BatchInsertOptions<Of extends Columns = Columns> extends PostgresDatabaseOptions {
  /** As it is, neither quoted nor with its schema. */
  readonly table: string;
  /**
   * The schema the table is in.
   * @defaultValue the connection's `search_path` decides
   */
  readonly schema?: string | undefined;
  /**
   * The columns to fill, with their types: `{ id: "bigint", note: "text | null" }`. What is not named gets its default.
   * Compared with the table when the sink is opened.
   */
  readonly columns: Of;
  /**
   * What to do about a row that is there already: leave what is there, or overwrite it. Both make a batch that is written
   * again harmless. Without it such a row is an error.
   */
  readonly onConflict?: "ignore" | "replace" | undefined;
  /**
   * The columns of the unique index by which a row is recognised; needed for `replace`.
   * @defaultValue any unique index of the table
   */
  readonly key?: readonly (keyof Of & string)[] | undefined;
  /** Columns of the rows that were written, the key a row got from the server say; found in `rows` of the result. */
  readonly returning?: readonly string[] | undefined;
  /**
   * Whether to prepare the statement once per connection. Not possible behind a pooler that shares connections between transactions.
   * @defaultValue true
   */
  readonly prepare?: boolean | undefined;
}

export interface PostgresQueueOptions extends PostgresStoreOptions {
  /**
   * Several queues may live in one schema.
   * @defaultValue `"default"`
   */
  readonly name?: string | undefined;
  /**
   * Whether a source hears at once of what other processes enqueue. All queues of a schema keep one connection of the pool for that.
   * @defaultValue true, with a pool of more than one connection
   */
  readonly listen?: boolean | undefined;
}

export interface PostgresOptions {
  /** The queue to take messages from. It is not closed. */
  readonly queue: PostgresQueue;
  /**
   * Milliseconds until others get a message whose process has died. It is prolonged while the message is being worked on.
   * @defaultValue 30_000
   */
  readonly lease?: number | undefined;
  /**
   * Milliseconds between looks into an empty queue: how soon a message is seen that fell due, or whose key another process has freed.
   * New ones are heard of at once.
   * @defaultValue 1000
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

export interface PostgresDeadLetterOptions {
  /** Its `deadLetters` has what is written, and `redrive` puts it into this queue. */
  readonly queue: PostgresQueue;
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
   * Messages of a PostgreSQL queue need none, they have an id.
   * @defaultValue none: after a crash at the wrong moment a letter of another source may be there twice
   */
  readonly identify?: ((letter: DeadLetter) => string | undefined) | undefined;
}
