import { type NewMessage, queueTerms } from "westend/connector";
import type { Connection } from "./connection.ts";
import type { SqliteValue } from "./client.ts";
import { encodePayload, type StoredPayload } from "./payload.ts";
import { DELAYED, READY } from "./schema.ts";
import { NO_TOKEN } from "./token.ts";

const NEXT = "UPDATE westend_meta SET value = value + ? WHERE name = 'sequence' RETURNING value";

/** Rows of one statement: most of what a statement costs is paid per statement. */
const ROWS = 10;
const ROW = `(?, ?, ?, ?, ${NO_TOKEN}, 0, ?, ?, ?, ?)`;
const insertOf = (rows: number): string => `INSERT INTO westend_message
  (id, queue, state, due, token, attempts, enqueued_at, checksum, key, payload)
  VALUES ${Array(rows).fill(ROW).join(", ")}`;
const INSERT_ROWS: string = insertOf(ROWS);
const INSERT_ROW: string = insertOf(1);

/** A checked {@link NewMessage}, as it is going to be stored. */
export interface Draft extends StoredPayload {
  readonly key: string | null;
  readonly delay: number;
}

/** @throws TypeError or RangeError that says what is wrong, without the content. */
export function draftOf(message: NewMessage): Draft {
  const { key, delay } = queueTerms(message);
  const { payload } = message;
  // A copy, because it is stored later and its owner may not wait for that.
  const { value, checksum } = encodePayload(
    typeof payload === "string" ? payload : new Uint8Array(payload),
  );
  return { value, checksum, key, delay: Math.ceil(delay) };
}

/**
 * Stores messages and returns the number of the first, from which the others count on; call it in a transaction.
 * Numbers are never given twice in a file.
 */
export function enqueue(
  connection: Connection,
  queue: number,
  drafts: readonly Draft[],
  now: number,
): number {
  const last = connection.prepare(NEXT).get(drafts.length) as { value: number };
  const first = last.value - drafts.length + 1;
  const rows = connection.prepare(INSERT_ROWS);
  const row = connection.prepare(INSERT_ROW);
  let index = 0;
  while (index < drafts.length) {
    const full = index + ROWS <= drafts.length;
    const end = full ? index + ROWS : index + 1;
    const values: SqliteValue[] = [];
    for (; index < end; index += 1) {
      const { value, checksum, key, delay } = drafts[index] as Draft;
      const state = delay > 0 ? DELAYED : READY;
      values.push(first + index, queue, state, now + delay, now, checksum, key, value);
    }
    (full ? rows : row).run(...values);
  }
  return first;
}
