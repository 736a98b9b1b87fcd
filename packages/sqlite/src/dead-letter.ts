import { inspect } from "node:util";
import type { DeadLetter, DeadLetterSink, PartitionKey } from "westend";
import { boundedJson, describeError, type QueuePayload } from "westend/connector";
import { checkDeadLetterOptions } from "./check-options.ts";
import { insertLetter, type LetterHead } from "./dead-letter-table.ts";
import { isStorableKey } from "./enqueue.ts";
import { GROUP } from "./pending-work.ts";
import { identityOf, type OpenedQueue } from "./opened-queue.ts";
import type { SqliteDeadLetterOptions } from "./options.ts";
import { encodePayload, type StoredPayload } from "./payload.ts";
import { SqliteQueue } from "./queue.ts";

const EXPIRE = `DELETE FROM westend_dead_letter WHERE id IN (
  SELECT id FROM westend_dead_letter WHERE queue = ? AND failed_at < ? ORDER BY failed_at LIMIT ${GROUP})`;

/**
 * A table in a SQLite file as the place for dead letters, of any source.
 * A letter of a SQLite queue that is written again after a crash is there once.
 * @example
 * ```ts
 * const queue = sqliteQueue({ path: "jobs.db" });
 * const jobs = definePipeline({ producer: sqlite({ queue }), deadLetter: sqliteDeadLetter({ queue }), …});
 * await queue.deadLetters.redrive({ by: "ada", name: "TimeoutError" });
 * ```
 * @throws ConfigurationError that lists every mistake in the options.
 */
export function sqliteDeadLetter(
  options: SqliteDeadLetterOptions,
): DeadLetterSink<unknown, unknown> {
  checkDeadLetterOptions(options);
  let own: SqliteQueue | undefined;
  const queue = (): SqliteQueue => options.queue ?? (own ??= new SqliteQueue(options));
  return {
    name: "sqlite",
    async open() {
      await queue().open();
    },
    async write(letters, signal) {
      const opened = await queue().opened();
      for (let start = 0; start < letters.length; start += GROUP) {
        const group = letters.slice(start, start + GROUP);
        await opened.connection.write(() => store(opened, group, options), {
          weight: group.length,
          signal,
        });
      }
    },
    async close() {
      await own?.close();
      own = undefined;
    },
  };
}

function store(
  queue: OpenedQueue,
  letters: readonly DeadLetter[],
  options: SqliteDeadLetterOptions,
): void {
  const { connection, number } = queue;
  for (const letter of letters) {
    insertLetter(
      connection,
      number,
      headOf(letter, options),
      storedPayload(letter, options),
      keyOf(letter.key),
    );
  }
  if (options.ttl !== undefined) {
    connection.prepare(EXPIRE).run(number, queue.now - options.ttl);
  }
}

function headOf(letter: DeadLetter, options: SqliteDeadLetterOptions): LetterHead {
  return {
    identity: identify(letter, options) ?? null,
    metadata: boundedJson(letter.metadata),
    pipeline: letter.pipeline,
    source: letter.source,
    batcher: letter.batcher,
    error: describeError(letter.reason),
    attempts: letter.attempts,
    receivedAt: letter.receivedAt,
    failedAt: letter.failedAt,
  };
}

function identify(letter: DeadLetter, options: SqliteDeadLetterOptions): string | undefined {
  const given = options.identify?.(letter);
  if (given !== undefined) return `${letter.source}:${given}`;
  const metadata = letter.metadata as {
    id?: unknown;
    queue?: unknown;
    enqueuedAt?: unknown;
  } | null;
  if (typeof metadata !== "object" || metadata === null) return undefined;
  const { id, queue, enqueuedAt } = metadata;
  const ours =
    typeof id === "string" && typeof queue === "string" && typeof enqueuedAt === "number";
  return ours ? identityOf({ id, enqueuedAt }) : undefined;
}

/** A key that SQLite cannot give back as it was is left out: a letter must not fail for its key. */
function keyOf(key: PartitionKey | undefined): string | null {
  return key !== undefined && isStorableKey(String(key)) ? String(key) : null;
}

function storedPayload(letter: DeadLetter, options: SqliteDeadLetterOptions): StoredPayload {
  const payload = options.seal === undefined ? letter.payload : options.seal(letter);
  if (typeof payload === "string" || payload instanceof Uint8Array) return encodePayload(payload);
  const json = jsonOf(payload);
  return json === undefined ? encodePayload(printed(payload), 3) : encodePayload(json, 2);
}

function jsonOf(payload: unknown): QueuePayload | undefined {
  try {
    return JSON.stringify(payload);
  } catch {
    return undefined;
  }
}

/** For people to look at. */
function printed(payload: unknown): string {
  try {
    const text = inspect(payload, { depth: 4, maxStringLength: 1_000, customInspect: false });
    return text.toWellFormed().replaceAll("\0", "");
  } catch {
    return "";
  }
}
