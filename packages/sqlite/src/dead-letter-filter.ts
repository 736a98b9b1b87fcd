import type { DeadLetterFilter } from "westend/connector";
import type { Connection } from "./connection.ts";
import type { LetterRow } from "./dead-letter-table.ts";

/** The letters of a queue that fit, oldest first, from behind the one with the number `after`. */
export function findLetters(
  connection: Connection,
  queue: number,
  filter: DeadLetterFilter,
  after: number,
  limit: number,
): LetterRow[] {
  const { sql, values } = conditions(filter);
  return connection
    .prepare(
      `SELECT * FROM westend_dead_letter WHERE queue = ? AND id > ?${sql} ORDER BY id LIMIT ?`,
    )
    .all(queue, after, ...values, limit) as LetterRow[];
}

export function countLetters(
  connection: Connection,
  queue: number,
  filter: DeadLetterFilter,
): number {
  const { sql, values } = conditions(filter);
  const row = connection
    .prepare(`SELECT count(*) AS count FROM westend_dead_letter WHERE queue = ?${sql}`)
    .get(queue, ...values);
  return (row as { count: number }).count;
}

/** What of a filter is given, as SQL with its parameters. */
function conditions(filter: DeadLetterFilter): { sql: string; values: (string | number)[] } {
  const { ids, name, code, reason, pipeline, key, since, before } = filter;
  const all: [sql: string, value: string | number | undefined][] = [
    ["id IN (SELECT value FROM json_each(?))", ids && JSON.stringify(ids)],
    ["error_name = ?", name],
    ["error_code = ?", code],
    ["instr(error_message, ?) > 0", reason],
    ["pipeline = ?", pipeline],
    ["key = ?", key],
    ["failed_at >= ?", since],
    ["failed_at < ?", before],
  ];
  let sql = "";
  const values: (string | number)[] = [];
  for (const [condition, value] of all) {
    if (value === undefined) continue;
    sql += ` AND ${condition}`;
    values.push(value);
  }
  return { sql, values };
}
