import type { Clock } from "westend";
import {
  openClient,
  type SqliteClient,
  type SqliteStatement,
  type SqliteValue,
  withPlainRows,
} from "./client.ts";
import { explain, isBusy } from "./failures.ts";
import { GroupCommit, type SubmitOptions } from "./group-commit.ts";
import { prepareSchema } from "./schema.ts";
import { ConfigurationError } from "westend";

/**
 * Milliseconds SQLite itself waits for a lock. It holds the event loop while it does, so longer waits are timers of ours.
 */
const BUSY_TIMEOUT = 10;

/** After a burst the write-ahead log is cut down to so many bytes. */
const LOG_SIZE_LIMIT = 64 * 2 ** 20;

export interface ConnectionOptions {
  readonly path?: string | undefined;
  readonly client?: SqliteClient | undefined;
  readonly synchronous: "full" | "normal";
  readonly clock: Clock;
  readonly linger: number;
  readonly patience: number;
}

/** An open database: its prepared statements, and its one writer. */
export class Connection {
  readonly client: SqliteClient;
  readonly clock: Clock;
  /** The file's own random id; empty before {@link Connection.setUp}. */
  file = "";
  readonly #owned: boolean;
  readonly #writer: GroupCommit;
  readonly #statements = new Map<string, SqliteStatement>();
  readonly #tuples = new Map<string, (...parameters: SqliteValue[]) => (readonly unknown[])[]>();

  constructor(client: SqliteClient, options: ConnectionOptions) {
    this.client = client;
    this.clock = options.clock;
    this.#owned = options.client === undefined;
    const { clock, linger, patience } = options;
    this.#writer = new GroupCommit({ client, clock, linger, patience });
  }

  /** Compiled at first use, then kept. */
  prepare(sql: string): SqliteStatement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.client.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** A query whose rows come as arrays of the columns in their order. */
  prepareTuples(sql: string): (...parameters: SqliteValue[]) => (readonly unknown[])[] {
    let query = this.#tuples.get(sql);
    if (query === undefined) {
      const statement = this.client.prepare(sql);
      statement.setReturnArrays?.(true);
      query = (...parameters) =>
        statement.setReturnArrays === undefined
          ? statement.all(...parameters).map((row) => Object.values(row as object))
          : (statement.all(...parameters) as unknown[][]);
      this.#tuples.set(sql, query);
    }
    return query;
  }

  /** Runs `work` in a transaction; {@link GroupCommit.submit} says which. */
  write<Result>(work: () => Result, options?: SubmitOptions): Promise<Result> {
    return this.#writer.submit(work, options);
  }

  /** Whether the work being run has thrown `TryAgain` before. */
  get isSecondTry(): boolean {
    return this.#writer.isSecondTry;
  }

  /** Runs `work` outside of a transaction, on what was last committed. */
  read<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw explain(error);
    }
  }

  async setUp(): Promise<void> {
    this.file = await this.write(() => prepareSchema(this.client), { urgent: true });
  }

  /** Commits what is waiting, then closes what this opened. */
  async close(): Promise<void> {
    await this.#writer.drain();
    this.#statements.clear();
    this.#tuples.clear();
    if (this.#owned) this.client.close();
  }
}

/**
 * Opens a database for use by several processes: write-ahead log, the durability asked for, patience with locks.
 * @throws ConfigurationError if the file cannot be opened, is no database, or is of a newer release.
 */
export async function connect(options: ConnectionOptions): Promise<Connection> {
  const opened = await patiently(options, () => options.client ?? openClient(options.path ?? ""));
  const client = withPlainRows(opened);
  try {
    await patiently(options, () => configure(client, options.synchronous));
    return new Connection(client, options);
  } catch (error) {
    if (options.client === undefined) client.close();
    throw error;
  }
}

function configure(client: SqliteClient, synchronous: "full" | "normal"): void {
  client.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
  const row = client.prepare("PRAGMA journal_mode = WAL").get() as { journal_mode: string };
  if (row.journal_mode !== "wal" && row.journal_mode !== "memory") {
    throw new ConfigurationError("@westend/sqlite", [
      {
        path: "path",
        expected: "a file on a disk of this machine",
        got: "one on which SQLite cannot keep a write-ahead log",
        hint: "Network file systems cannot share a queue",
      },
    ]);
  }
  client.exec(`PRAGMA synchronous = ${synchronous === "full" ? "FULL" : "NORMAL"}`);
  client.exec(`PRAGMA journal_size_limit = ${LOG_SIZE_LIMIT}`);
}

/** Another process that opens the same file holds it for a moment, and SQLite's own waiting does not cover that. */
async function patiently<Result>(options: ConnectionOptions, work: () => Result): Promise<Result> {
  const { clock, patience } = options;
  const started = clock.now();
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || clock.now() - started >= patience) throw explain(error);
    }
    await new Promise<void>((resolve) => {
      clock.setTimer(resolve, 1 + Math.random() * BUSY_TIMEOUT);
    });
  }
}
