import {
  type AuditRecord,
  type DeadLetterFilter,
  type ListOptions,
  type PurgeOptions,
  redrive,
  type RedriveOptions,
  type RedriveReport,
  type StoredDeadLetter,
} from "westend/connector";
import type { Connection } from "./connection.ts";
import { countLetters, findLetters } from "./dead-letter-filter.ts";
import { letterOf } from "./dead-letter-table.ts";
import { GROUP } from "./pending-work.ts";
import { redriveGroup } from "./redrive.ts";

type AuditRow = Omit<AuditRecord, "edited"> & { readonly edited: number };

/** What a queue's dead letters need of it. */
export interface DeadLetterHome {
  readonly connection: Connection;
  readonly number: number;
  /** Whole milliseconds since the Unix epoch. */
  readonly now: number;
  enqueued(): void;
}

const BEGIN_AUDIT = `INSERT INTO westend_audit (queue, at, action, by, filter, edited, count)
  VALUES (?, ?, ?, ?, ?, ?, 0) RETURNING id`;
const AUDIT = "UPDATE westend_audit SET count = count + ? WHERE id = ?";
const DELETE = "DELETE FROM westend_dead_letter WHERE id IN (SELECT value FROM json_each(?))";
const RECORDS = "SELECT * FROM westend_audit WHERE queue = ? ORDER BY id DESC LIMIT ?";

/** The dead letters of one queue: to look at, to send back, to delete. */
export class DeadLetters {
  readonly #open: () => Promise<DeadLetterHome>;

  /** @internal */
  constructor(open: () => Promise<DeadLetterHome>) {
    this.#open = open;
  }

  /** The letters that fit, oldest first. */
  async list(options: ListOptions = {}): Promise<StoredDeadLetter[]> {
    const { after = 0, limit = GROUP, ...filter } = options;
    const { connection, number } = await this.#open();
    return connection.read(() =>
      findLetters(connection, number, filter, after, limit).map(letterOf),
    );
  }

  async count(filter: DeadLetterFilter = {}): Promise<number> {
    const { connection, number } = await this.#open();
    return connection.read(() => countLetters(connection, number, filter));
  }

  /**
   * Puts letters back at the end of the queue, as new messages with no attempts; in transactions of 100.
   * Leaves a record of who did it. If `edit` throws, so does this; what was moved before stays moved, and recorded.
   */
  async redrive(options: RedriveOptions): Promise<RedriveReport> {
    const { by, limit, edit, dryRun = false, ...filter } = options;
    const home = await this.#open();
    const { connection, number } = home;
    const audit = dryRun ? 0 : await this.#beginAudit("redrive", by, filter, edit !== undefined);
    const report = await redrive(
      filter,
      { limit, edit, dryRun },
      {
        list: (wanted) => this.list(wanted),
        newest: () => this.#newest(),
        move: (letters) =>
          connection.write(
            () => {
              const count = redriveGroup(connection, number, letters, home.now);
              connection.prepare(AUDIT).run(count, audit);
              return count;
            },
            { weight: letters.length, urgent: true },
          ),
      },
    );
    if (!dryRun) home.enqueued();
    return report;
  }

  /** Deletes letters for good, in transactions of 100, and leaves a record; resolves with how many. */
  async purge(options: PurgeOptions): Promise<number> {
    const { by, olderThan, ...filter } = options;
    const { connection, number, now } = await this.#open();
    const before = Math.min(filter.before ?? Infinity, now - olderThan);
    const audit = await this.#beginAudit("purge", by, { ...filter, before }, false);
    for (let purged = 0; ;) {
      const count = await connection.write(
        () => {
          const rows = findLetters(connection, number, { ...filter, before }, 0, GROUP);
          connection.prepare(DELETE).run(JSON.stringify(rows.map(({ id }) => id)));
          connection.prepare(AUDIT).run(rows.length, audit);
          return rows.length;
        },
        { weight: GROUP, urgent: true },
      );
      purged += count;
      if (count < GROUP) return purged;
    }
  }

  /** Who sent letters back or deleted them, the latest first. */
  async audit(limit: number = GROUP): Promise<AuditRecord[]> {
    const { connection, number } = await this.#open();
    const rows = connection.read(() => connection.prepare(RECORDS).all(number, limit));
    return (rows as AuditRow[]).map(({ id, at, action, by, filter, edited, count }) => ({
      id,
      at,
      action,
      by,
      filter,
      edited: edited === 1,
      count,
    }));
  }

  async #beginAudit(
    action: string,
    by: string,
    filter: DeadLetterFilter,
    edited: boolean,
  ): Promise<number> {
    const { connection, number, now } = await this.#open();
    return connection.write(() => {
      const row = connection
        .prepare(BEGIN_AUDIT)
        .get(number, now, action, by, JSON.stringify(filter), edited ? 1 : 0);
      return (row as { id: number }).id;
    });
  }

  async #newest(): Promise<number> {
    const { connection } = await this.#open();
    const row = connection.read(() =>
      connection.prepare("SELECT max(id) AS id FROM westend_dead_letter").get(),
    );
    return (row as { id: number | null }).id ?? 0;
  }
}
