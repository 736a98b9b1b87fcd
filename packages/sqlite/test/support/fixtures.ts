import { mkdtempSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { systemClock, type Clock } from "westend";
import {
  sqliteQueue,
  type SqliteClient,
  type SqliteQueue,
  type SqliteQueueOptions,
} from "@westend/sqlite";

/** A folder that is gone when the test has ended. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "westend-sqlite-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** The path of a file that does not exist yet. */
export function file(): string {
  return join(folder(), "queue.db");
}

/** A clock whose date is told, while its timers are those of the machine. */
export interface CalendarClock extends Clock {
  pass(milliseconds: number): void;
}

export function calendarClock(start = 1_700_000_000_000): CalendarClock {
  let date = start;
  return {
    ...systemClock,
    date: () => date,
    pass: (milliseconds) => void (date += milliseconds),
  };
}

/** A queue in a new file, closed when the test has ended. */
export function queueOf(options: Partial<SqliteQueueOptions> = {}): SqliteQueue {
  const queue = sqliteQueue({
    ...(options.client === undefined ? { path: file() } : {}),
    linger: 0,
    ...options,
  });
  onTestFinished(() => queue.close());
  return queue;
}

/** A connection to a new file of which every statement is seen, and may be made to fail, before it is run. */
export function watched(
  see: (sql: string, values: readonly unknown[]) => void,
  path: string = file(),
): SqliteClient {
  const database = new DatabaseSync(path);
  return {
    exec: (sql) => database.exec(sql),
    close: () => database.close(),
    prepare(sql) {
      const statement = database.prepare(sql);
      return {
        get: (...values) => (see(sql, values), statement.get(...values)),
        all: (...values) => (see(sql, values), statement.all(...values)),
        run: (...values) => (see(sql, values), statement.run(...values)),
      };
    },
  };
}

/** A queue in a file that another connection holds; `tried` is told of each try to get it, just before it. */
export async function held(tried: (count: number, release: () => void) => unknown) {
  const path = file();
  const other = new DatabaseSync(path);
  let count = 0;
  let holds = false;
  const release = (): void => {
    holds = false;
    other.exec("COMMIT");
  };
  const client = watched((sql) => {
    if (sql === "BEGIN IMMEDIATE" && holds) tried(++count, release);
  }, path);
  const queue = queueOf({ client });
  onTestFinished(() => other.close());
  await queue.open();
  other.exec("BEGIN IMMEDIATE");
  holds = true;
  return { queue, client, release, tries: () => count };
}

/** Sends raw SQL to a file, as a stranger would. */
export function meddle(path: string, sql: string): unknown[] {
  const database = new DatabaseSync(path);
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}
