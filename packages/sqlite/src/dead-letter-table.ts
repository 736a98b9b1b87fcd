import {
  type LetterHead,
  type LetterRow as Head,
  type QueuePayload,
  type StoredDeadLetter,
  storedLetter,
} from "westend/connector";
import type { Connection } from "./connection.ts";
import { codingOf, decodePayload, type StoredPayload } from "./payload.ts";

const COLUMNS = `queue, identity, metadata, pipeline, source, batcher,
  error_name, error_code, error_message, error_stack, attempts, received_at, failed_at, checksum, key, payload`;
const INSERT = `INSERT INTO westend_dead_letter (${COLUMNS})
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (identity) DO NOTHING`;
/** The payload is copied by SQLite, so that what is damaged arrives as damaged as it is. */
const BURY = `INSERT INTO westend_dead_letter (${COLUMNS})
  SELECT queue, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, checksum, key, payload
  FROM westend_message WHERE id = ? AND token = ? ON CONFLICT (identity) DO NOTHING`;

function headValues(head: LetterHead): (string | number | null)[] {
  const { error } = head;
  return [
    head.identity,
    head.metadata,
    head.pipeline,
    head.source,
    head.batcher,
    error.name,
    error.code,
    error.message,
    error.stack,
    head.attempts,
    Math.round(head.receivedAt),
    Math.round(head.failedAt),
  ];
}

/** Adds a letter unless it is there already; call it in a transaction. */
export function insertLetter(
  connection: Connection,
  queue: number,
  head: LetterHead,
  payload: StoredPayload,
): void {
  const { checksum, value } = payload;
  connection.prepare(INSERT).run(queue, ...headValues(head), checksum, head.key, value);
}

/** Copies a leased message of the same file to the dead letters; call it in the transaction that removes it. */
export function buryMessage(
  connection: Connection,
  head: LetterHead,
  claim: { readonly sequence: number; readonly token: number },
): void {
  connection.prepare(BURY).run(...headValues(head), claim.sequence, claim.token);
}

/** A row of `SELECT *`. */
export interface LetterRow extends Head {
  readonly checksum: number;
  readonly payload: QueuePayload;
}

export function letterOf(row: LetterRow): StoredDeadLetter {
  const { checksum, payload } = row;
  const whole = decodePayload(payload, checksum);
  return storedLetter(row, whole ?? payload, whole !== undefined && codingOf(checksum) !== 3);
}
