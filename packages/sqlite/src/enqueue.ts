import type { NewMessage, QueuePayload } from "westend/connector";
import type { Connection } from "./connection.ts";
import type { SqliteValue } from "./client.ts";
import { encodePayload, type StoredPayload } from "./payload.ts";
import { DELAYED, READY } from "./schema.ts";
import { NO_TOKEN } from "./token.ts";

const LONGEST_KEY = 1024;

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
export function draftOf(
  payload: QueuePayload,
  key: NewMessage["key"],
  delay: number | undefined = 0,
): Draft {
  if (typeof payload !== "string" && !(payload instanceof Uint8Array)) {
    throw new TypeError(
      `A payload is text or bytes, got ${payload === null ? "null" : typeof payload}`,
    );
  }
  if (typeof delay !== "number" || !(delay >= 0) || delay > Number.MAX_SAFE_INTEGER / 2) {
    throw new RangeError("A delay is a number of milliseconds from 0");
  }
  // A copy, because it is stored later and its owner may not wait for that.
  const { value, checksum } = encodePayload(
    typeof payload === "string" ? payload : new Uint8Array(payload),
  );
  return {
    value,
    checksum,
    key: key === undefined ? null : keyOf(key),
    delay: Math.ceil(delay),
  };
}

function keyOf(key: unknown): string {
  if (typeof key !== "string" && typeof key !== "number" && typeof key !== "bigint") {
    throw new TypeError(
      `A key is text, a number or a bigint, got ${key === null ? "null" : typeof key}`,
    );
  }
  const text = String(key);
  if (!isStorableKey(text)) {
    throw new RangeError(
      `A key has at most ${LONGEST_KEY} characters, no NUL and no half of a surrogate pair`,
    );
  }
  return text;
}

/** Whether text comes back from SQLite as it was given, so that equal keys stay equal. */
export function isStorableKey(text: string): boolean {
  return text.length <= LONGEST_KEY && !text.includes("\0") && text.isWellFormed();
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
