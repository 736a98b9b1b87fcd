import type { DeadLetter } from "../failure.ts";
import { boundedJson } from "./bounded-json.ts";
import type { StoredDeadLetter } from "./dead-letter-store.ts";
import { describeError, type ErrorEnvelope } from "./error-envelope.ts";
import type { QueuePayload } from "./queue.ts";
import { isStorableKey } from "./queue-terms.ts";

/** Three times as many bytes, at most; PostgreSQL's indexes take 2,704. */
const LONGEST_IDENTITY = 512;

/** Everything that is kept of a dead letter but its payload, as a table holds it. */
export interface LetterHead {
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

/** What is kept of a letter. A key that cannot be given back as it was is left out: a letter must not fail for its key. */
export function letterHead(
  letter: DeadLetter,
  identify?: (letter: DeadLetter) => string | undefined,
): LetterHead {
  const { metadata, reason, pipeline, source, batcher, attempts, receivedAt, failedAt } = letter;
  const given = identify?.(letter);
  const key = letter.key === undefined ? null : String(letter.key);
  return {
    identity: given === undefined ? identityOf(metadata) : findable(`${source}:${given}`),
    key: key !== null && isStorableKey(key) ? key : null,
    metadata: boundedJson(metadata),
    pipeline,
    source,
    batcher: batcher ?? null,
    error: describeError(reason),
    attempts,
    receivedAt,
    failedAt,
  };
}

/** Tells messages of durable queues apart, over one that was restored from a backup, too; null if it is not the metadata of one. */
export function identityOf(metadata: unknown): string | null {
  if (typeof metadata !== "object" || metadata === null) return null;
  const { id, queue, enqueuedAt } = metadata as Record<string, unknown>;
  const ours =
    typeof id === "string" && typeof queue === "string" && typeof enqueuedAt === "number";
  return ours ? findable(`${id}@${enqueuedAt}`) : null;
}

/** What no index would take, or would be found again as something else, is hashed: a letter must not fail for its identity, nor pass for another. */
function findable(identity: string): string {
  if (identity.length <= LONGEST_IDENTITY && isStorableKey(identity)) return identity;
  // Seldom needed, and slow to import.
  const { hash } = process.getBuiltinModule("node:crypto");
  return `sha256:${hash("sha256", Buffer.from(identity, "utf16le"))}`;
}

/** A payload that is neither text nor bytes, as text: JSON, or for people to look at what JSON cannot hold. */
export function payloadText(payload: unknown): { readonly text: string; readonly whole: boolean } {
  try {
    const json: string | undefined = JSON.stringify(payload);
    if (json !== undefined) return { text: json, whole: true };
  } catch {
    // What it has no JSON for.
  }
  return { text: printed(payload), whole: false };
}

function printed(payload: unknown): string {
  try {
    // Seldom needed, and slow to import.
    const { inspect } = process.getBuiltinModule("node:util");
    const text = inspect(payload, { depth: 4, maxStringLength: 1_000, customInspect: false });
    return text.toWellFormed().replaceAll("\0", "");
  } catch {
    return "";
  }
}

/** A row of a table of dead letters, but for its payload: its columns have these names. */
export interface LetterRow {
  readonly id: number;
  readonly key: string | null;
  readonly metadata: string;
  readonly pipeline: string;
  readonly source: string;
  readonly batcher: string | null;
  readonly error_name: string;
  readonly error_code: string | null;
  readonly error_message: string;
  readonly error_stack: string | null;
  readonly attempts: number;
  readonly received_at: number;
  readonly failed_at: number;
}

/** A letter as it is shown to users, made of its row. */
export function storedLetter(
  row: LetterRow,
  payload: QueuePayload,
  intact: boolean,
): StoredDeadLetter {
  return {
    id: row.id,
    payload,
    intact,
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
    receivedAt: Math.round(row.received_at),
    failedAt: Math.round(row.failed_at),
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
