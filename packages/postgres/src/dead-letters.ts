import {
  type AuditRecord,
  type DeadLetterFilter,
  type EditedLetter,
  type ListOptions,
  type PurgeOptions,
  redrive,
  type RedriveOptions,
  type RedriveReport,
  type StoredDeadLetter,
} from "westend/connector";
import type { QueryResult } from "./client.ts";
import { only } from "./catalogue.ts";
import { conditions } from "./dead-letter-filter.ts";
import { LETTER_COLUMNS, letterOf, type LetterRow } from "./dead-letter-table.ts";
import { draftOf, enqueue } from "./enqueue.ts";
import type { Store } from "./store.ts";

const GROUP = 100;

/** The dead letters of one queue: to look at, to send back, to delete. */
export class DeadLetters {
  readonly #store: Store;
  readonly #queue: string;

  /** @internal */
  constructor(store: Store, queue: string) {
    this.#store = store;
    this.#queue = queue;
  }

  /** The letters that fit, oldest first. */
  async list(options: ListOptions = {}): Promise<StoredDeadLetter[]> {
    const { after = 0, limit = GROUP, ...filter } = options;
    const { sql, values } = conditions(filter, 4);
    const { rows } = await this.#query(
      `select ${LETTER_COLUMNS} from ${this.#table} letter where queue = $1 and id > $2${sql} order by letter.id limit $3`,
      [this.#queue, after, limit, ...values],
    );
    return (rows as LetterRow[]).map(letterOf);
  }

  async count(filter: DeadLetterFilter = {}): Promise<number> {
    const { sql, values } = conditions(filter, 2);
    const result = await this.#query(
      `select count(*)::float8 as count from ${this.#table} where queue = $1${sql}`,
      [this.#queue, ...values],
    );
    return (only(result) as { count: number }).count;
  }

  /**
   * Puts letters back at the end of the queue, as new messages with no attempts; in transactions of 100.
   * Leaves a record of who did it. If `edit` throws, so does this; what was moved before stays moved, and recorded.
   */
  async redrive(options: RedriveOptions): Promise<RedriveReport> {
    const { by, limit, edit, dryRun = false, ...filter } = options;
    const audit = dryRun ? "" : await this.#beginAudit("redrive", by, filter, edit !== undefined);
    return redrive(
      filter,
      { limit, edit, dryRun },
      {
        list: (wanted) => this.list(wanted),
        newest: () => this.#newest(),
        move: (letters) => this.#move(letters, audit),
      },
    );
  }

  /** Letters that somebody else moved meanwhile are passed over. */
  #move(letters: readonly EditedLetter[], audit: string): Promise<number> {
    return this.#store.database.transaction(async ({ query }) => {
      const { rows } = await query({
        text: `delete from ${this.#table} where id = any ($1::bigint[]) returning id::text`,
        values: [letters.map(({ id }) => id)],
      });
      const gone = new Set((rows as { id: string }[]).map(({ id }) => Number(id)));
      const ours = letters.filter(({ id }) => gone.has(id));
      if (ours.length === 0) return 0;
      const drafts = ours.map(({ payload, key }) => draftOf({ payload, key }));
      await enqueue(query, this.#store, this.#queue, drafts);
      await query({
        text: `update ${this.#store.table("audit")} set count = count + $1 where id = $2`,
        values: [ours.length, audit],
      });
      return ours.length;
    });
  }

  /** Deletes letters for good and leaves a record; resolves with how many. */
  async purge(options: PurgeOptions): Promise<number> {
    const { by, olderThan, ...filter } = options;
    const audit = await this.#beginAudit("purge", by, { ...filter }, false);
    const { sql, values } = conditions(filter, 4);
    const result = await this.#query(
      `with gone as (delete from ${this.#table} where queue = $1
          and failed_at < clock_timestamp() - $2 * interval '1 millisecond'${sql} returning 1)
        update ${this.#store.table("audit")} set count = (select count(*) from gone) where id = $3 returning count`,
      [this.#queue, olderThan, audit, ...values],
    );
    return (only(result) as { count: number }).count;
  }

  /** Who sent letters back or deleted them, the latest first. */
  async audit(limit: number = GROUP): Promise<AuditRecord[]> {
    const { rows } = await this.#query(
      `select id::float8 as id, (extract(epoch from at) * 1000)::float8 as at, action, by, filter, edited, count
        from ${this.#store.table("audit")} where queue = $1 order by audit.id desc limit $2`,
      [this.#queue, limit],
    );
    return (rows as AuditRecord[]).map((row) => ({ ...row, at: Math.round(row.at) }));
  }

  async #beginAudit(
    action: string,
    by: string,
    filter: DeadLetterFilter,
    edited: boolean,
  ): Promise<string> {
    const result = await this.#query(
      `insert into ${this.#store.table("audit")} (queue, action, by, filter, edited)
        values ($1, $2, $3, $4, $5) returning id::text`,
      [this.#queue, action, by, JSON.stringify(filter), edited],
    );
    return (only(result) as { id: string }).id;
  }

  async #newest(): Promise<number> {
    const result = await this.#query(
      `select coalesce(max(id), 0)::float8 as id from ${this.#table}`,
      [],
    );
    return (only(result) as { id: number }).id;
  }

  get #table(): string {
    return this.#store.table("dead_letter");
  }

  async #query(text: string, values: unknown[]): Promise<QueryResult> {
    await this.#store.open();
    return this.#store.database.query({ text, values });
  }
}
