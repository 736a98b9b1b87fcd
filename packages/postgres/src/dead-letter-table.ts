import {
  type LetterHead,
  type LetterRow as Head,
  type StoredDeadLetter,
  storedLetter,
} from "westend/connector";
import { decodePayload, type Coding, type StoredPayload } from "./payload.ts";
import type { Run } from "./database.ts";
import type { Store } from "./store.ts";

/** Everything that is kept of a dead letter. */
export interface LetterDraft extends StoredPayload, LetterHead {}

/** Adds a letter unless it is there already. */
export async function insertLetter(
  run: Run,
  store: Store,
  queue: string,
  draft: LetterDraft,
): Promise<void> {
  const { error } = draft;
  await run({
    name: store.statement("letter"),
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

/** To be ordered by the table's `id`: `order by id` means what is selected by that name, which no index serves. */
export const LETTER_COLUMNS = `id::float8 as id, key, coding, payload, metadata, pipeline, source, batcher,
  error_name, error_code, error_message, error_stack, attempts,
  (extract(epoch from received_at) * 1000)::float8 as received_at, (extract(epoch from failed_at) * 1000)::float8 as failed_at`;

/** A row of {@link LETTER_COLUMNS}. */
export interface LetterRow extends Head {
  readonly coding: Coding;
  readonly payload: Uint8Array;
}

export function letterOf(row: LetterRow): StoredDeadLetter {
  return storedLetter(row, decodePayload(row.payload, row.coding), row.coding !== 4);
}
