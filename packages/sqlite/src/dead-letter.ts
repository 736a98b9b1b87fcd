import type { DeadLetter, DeadLetterSink } from "westend";
import { letterHead, payloadText } from "westend/connector";
import { checkDeadLetterOptions } from "./check-options.ts";
import { insertLetter } from "./dead-letter-table.ts";
import { GROUP } from "./pending-work.ts";
import type { OpenedQueue } from "./opened-queue.ts";
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
    const head = letterHead(letter, options.identify);
    insertLetter(connection, number, head, storedPayload(letter, options));
  }
  if (options.ttl !== undefined) {
    connection.prepare(EXPIRE).run(number, queue.now - options.ttl);
  }
}

function storedPayload(letter: DeadLetter, options: SqliteDeadLetterOptions): StoredPayload {
  const payload = options.seal === undefined ? letter.payload : options.seal(letter);
  if (typeof payload === "string" || payload instanceof Uint8Array) return encodePayload(payload);
  const { text, whole } = payloadText(payload);
  return encodePayload(text, whole ? 2 : 3);
}
