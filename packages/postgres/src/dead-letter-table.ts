import type { ErrorEnvelope, StoredDeadLetter } from "westend/connector";
import { decodePayload, type Coding, type StoredPayload } from "./payload.ts";
import type { Run } from "./database.ts";
import type { Store } from "./store.ts";

/** Everything that is kept of a dead letter. */
export interface LetterDraft extends StoredPayload {
  /** What makes a second write of the same letter find the first; null if nothing does. */
  readonly identity: string | null;
  readonly key: string | null;
  /** JSON. */
  readonly metadata: string;
  readonly pipeline: string;
  readonly source: string;
  readonly batcher: string | null;
  readonly error: ErrorEnvelope;
  readonly attempts: number;
  readonly receivedAt: number;
  readonly failedAt: number;
}

/** Adds a letter unless it is there already. */
export async function insertLetter(
  run: Run,
  store: Store,
  queue: string,
  draft: LetterDraft,
): Promise<void> {
  const { error } = draft;
  await run({
    name: `westend_letter_${store.channel}`,
    text: `insert into ${store.table("dead_letter")} (queue, identity, key, coding, payload, metadata, pipeline, source, batcher,
        error_name, error_code, error_message, error_stack, attempts, received_at, failed_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
        to_timestamp($15::float8 / 1000), to_timestamp($16::float8 / 1000)) on conflict (identity) do nothing`,
    values: [
      queue,
      draft.identity,
      draft.key,
      draft.coding,
      draft.bytes,
      draft.metadata,
      draft.pipeline,
      draft.source,
      draft.batcher,
      error.name,
      error.code,
      error.message,
      error.stack,
      draft.attempts,
      draft.receivedAt,
      draft.failedAt,
    ],
  });
}

/** `id` stays a number: `order by` means what is selected by that name, and text is in the order of its digits. */
export const LETTER_COLUMNS = `id::float8 as id, key, coding, payload, metadata, pipeline, source, batcher,
  error_name, error_code, error_message, error_stack, attempts,
  (extract(epoch from received_at) * 1000)::float8 as received, (extract(epoch from failed_at) * 1000)::float8 as failed`;

/** A row of {@link LETTER_COLUMNS}. */
export interface LetterRow {
  readonly id: number;
  readonly key: string | null;
  readonly coding: Coding;
  readonly payload: Uint8Array;
  readonly metadata: string;
  readonly pipeline: string;
  readonly source: string;
  readonly batcher: string | null;
  readonly error_name: string;
  readonly error_code: string | null;
  readonly error_message: string;
  readonly error_stack: string | null;
  readonly attempts: number;
  readonly received: number;
  readonly failed: number;
}

export function letterOf(row: LetterRow): StoredDeadLetter {
  return {
    id: row.id,
    payload: decodePayload(row.payload, row.coding),
    intact: row.coding !== 4,
    key: row.key ?? undefined,
    metadata: parsed(row.metadata),
    pipeline: row.pipeline,
    source: row.source,
    batcher: row.batcher ?? undefined,
    error: {
      name: row.error_name,
      code: row.error_code ?? undefined,
      message: row.error_message,
      stack: row.error_stack ?? undefined,
    },
    attempts: row.attempts,
    receivedAt: Math.round(row.received),
    failedAt: Math.round(row.failed),
  };
}

/** Metadata is for people to look at: if somebody spoiled it the letter must still be seen. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
