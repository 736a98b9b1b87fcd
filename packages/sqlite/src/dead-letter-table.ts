import type { ErrorEnvelope, StoredDeadLetter } from "westend/connector";
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

/** Everything about a dead letter but its payload. */
export interface LetterHead {
  /** What makes a second write of the same letter find the first; null if nothing does. */
  readonly identity: string | null;
  /** JSON. */
  readonly metadata: string;
  readonly pipeline: string;
  readonly source: string;
  readonly batcher: string | undefined;
  readonly error: ErrorEnvelope;
  readonly attempts: number;
  readonly receivedAt: number;
  readonly failedAt: number;
}

function headValues(head: LetterHead): (string | number | null)[] {
  const { error } = head;
  return [
    head.identity,
    head.metadata,
    head.pipeline,
    head.source,
    head.batcher ?? null,
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
  key: string | null,
): void {
  connection.prepare(INSERT).run(queue, ...headValues(head), payload.checksum, key, payload.value);
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
export type LetterRow = Readonly<Record<string, unknown>>;

export function letterOf(row: LetterRow): StoredDeadLetter {
  const checksum = row["checksum"] as number;
  const whole = decodePayload(row["payload"], checksum);
  const optional = (name: string): string | undefined => (row[name] as string | null) ?? undefined;
  return {
    id: row["id"] as number,
    payload: whole ?? (row["payload"] as string | Uint8Array),
    intact: whole !== undefined && codingOf(checksum) !== 3,
    key: optional("key"),
    metadata: parsed(row["metadata"] as string),
    pipeline: row["pipeline"] as string,
    source: row["source"] as string,
    batcher: optional("batcher"),
    error: {
      name: row["error_name"] as string,
      code: optional("error_code"),
      message: row["error_message"] as string,
      stack: optional("error_stack"),
    },
    attempts: row["attempts"] as number,
    receivedAt: row["received_at"] as number,
    failedAt: row["failed_at"] as number,
  };
}

/** Metadata is for people to look at: if it is damaged the letter must still be seen. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
