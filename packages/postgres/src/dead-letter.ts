import type { DeadLetter, DeadLetterSink } from "westend";
import { letterHead } from "westend/connector";
import { checkDeadLetterOptions } from "./check-options.ts";
import { insertLetter, type LetterDraft } from "./dead-letter-table.ts";
import type { PostgresDeadLetterOptions } from "./options.ts";
import { encodeAnything } from "./payload.ts";

/** Letters written in one transaction. */
const GROUP = 100;

/**
 * A table in PostgreSQL as the place for dead letters, of any source. Give it the queue to which `redrive` is to send them.
 * A letter of a PostgreSQL queue that is written again after a crash is there once.
 * @example
 * ```ts
 * const queue = postgresQueue(pool, { name: "jobs" });
 * const jobs = definePipeline({ producer: postgres({ queue }), deadLetter: postgresDeadLetter({ queue }), …});
 * await queue.deadLetters.redrive({ by: "ada", name: "TimeoutError" });
 * ```
 * @throws ConfigurationError that lists every mistake in the options.
 */
export function postgresDeadLetter(
  options: PostgresDeadLetterOptions,
): DeadLetterSink<unknown, unknown> {
  checkDeadLetterOptions(options);
  const { queue, ttl } = options;
  return {
    name: "postgres",
    async open() {
      await queue.open();
    },
    async write(letters) {
      const { store } = queue;
      await store.open();
      for (let start = 0; start < letters.length; start += GROUP) {
        const drafts = letters.slice(start, start + GROUP).map((letter) => draft(letter, options));
        await store.database.transaction(async ({ query }) => {
          for (const each of drafts) await insertLetter(query, store, queue.name, each);
          if (ttl === undefined) return;
          const table = store.table("dead_letter");
          await query({
            text: `delete from ${table} where id in (select id from ${table} where queue = $1
              and failed_at < clock_timestamp() - $2 * interval '1 millisecond' order by failed_at limit ${GROUP})`,
            values: [queue.name, ttl],
          });
        });
      }
    },
  };
}

function draft(letter: DeadLetter, options: PostgresDeadLetterOptions): LetterDraft {
  return {
    ...encodeAnything(options.seal === undefined ? letter.payload : options.seal(letter)),
    ...letterHead(letter, options.identify),
  };
}
