import type { QueuePayload } from "westend/connector";
import type { Connection } from "./connection.ts";
import { GROUP } from "./pending-work.ts";
import type { KeyOrder } from "./key-order.ts";
import { sizeOf } from "./payload.ts";
import { DELAYED, HELD, READY } from "./schema.ts";
import type { Owner } from "./token.ts";

/** Ready messages looked at in one go; those beyond are looked at by the next. */
const LONGEST_LOOK = 1_000;

const promote = (state: number): string =>
  `UPDATE westend_message SET state = ${READY} WHERE id IN (
    SELECT id FROM westend_message WHERE queue = ? AND state = ${state} AND due <= ? ORDER BY due LIMIT ${GROUP}) RETURNING key`;
const PROMOTE_HELD: string = promote(HELD);
const PROMOTE_DELAYED: string = promote(DELAYED);
const ANY_LATE = `SELECT
  EXISTS (SELECT 1 FROM westend_message WHERE queue = ? AND state = ${HELD} AND due <= ?) OR
  EXISTS (SELECT 1 FROM westend_message WHERE queue = ? AND state = ${DELAYED} AND due <= ?) AS due`;
const FROM_READY = `FROM westend_message WHERE queue = ? AND state = ${READY} AND id > ? ORDER BY id LIMIT ?`;
/** Payloads longer than the first parameter are not read: a hundred large ones may be more than memory holds. */
const LOOK = `SELECT id, key, attempts, enqueued_at, checksum,
  iif(octet_length(payload) <= ?, payload, NULL) AS payload ${FROM_READY}`;
const SIZES = `SELECT octet_length(payload) AS size ${FROM_READY}`;
const TAKE = `UPDATE westend_message SET state = ${HELD}, due = ?, token = ?, attempts = attempts + 1`;
const TAKE_RANGE = `${TAKE} WHERE queue = ? AND state = ${READY} AND id BETWEEN ? AND ?`;
const TAKE_EACH = `${TAKE} WHERE id IN (SELECT value FROM json_each(?))`;
const ANY_READY = `SELECT 1 FROM westend_message WHERE queue = ? AND state = ${READY} LIMIT 1`;

/** A message as the table has it, before it was leased; the columns of {@link LOOK}. */
export type MessageRow = readonly [
  id: number,
  key: string | null,
  attempts: number,
  enqueuedAt: number,
  checksum: number,
  payload: unknown,
];

export interface LeaseTerms {
  readonly limit: number;
  readonly bytes: number;
  readonly owner: Owner;
  readonly token: number;
  readonly now: number;
  /** Milliseconds since the Unix epoch at which the lease ends. */
  readonly until: number;
}

/** Whether a lease could bring anything; asks without taking the lock. */
export function anyDue(connection: Connection, queue: number, now: number): boolean {
  return connection.prepare(ANY_READY).get(queue) !== undefined || anyLate(connection, queue, now);
}

function anyLate(connection: Connection, queue: number, now: number): boolean {
  const row = connection.prepare(ANY_LATE).get(queue, now, queue, now) as { due: number };
  return row.due === 1;
}

/** Makes ready what has fallen due: delayed messages, failed ones, and those whose lease has run out. */
function promoteLate(connection: Connection, queue: number, keys: KeyOrder, now: number): void {
  if (!anyLate(connection, queue, now)) return;
  connection.prepare(PROMOTE_DELAYED).all(queue, now);
  const late = connection.prepare(PROMOTE_HELD).all(queue, now) as { key: string | null }[];
  keys.free(new Set(late.flatMap(({ key }) => key ?? [])));
}

/**
 * Leases ready messages in the order in which they were enqueued; call it in a transaction.
 * Gives at most `limit`, and no more than `bytes` unless the first alone is larger.
 */
export function lease(
  connection: Connection,
  queue: number,
  keys: KeyOrder,
  terms: LeaseTerms,
): MessageRow[] {
  const { limit, owner, now } = terms;
  promoteLate(connection, queue, keys, now);
  const mayGo = keys.gate(owner, now);
  const taken: MessageRow[] = [];
  let room = terms.bytes;
  let after = 0;
  for (let looked = 0; taken.length < limit && looked < LONGEST_LOOK;) {
    const wanted = Math.min(limit - taken.length, GROUP);
    const page = look(connection, queue, after, wanted, room, taken.length === 0);
    const free: MessageRow[] = [];
    const blocked: number[] = [];
    for (const row of page) {
      const [id, key, , , , payload] = row;
      if (key !== null && !mayGo(id, key)) {
        blocked.push(id);
      } else {
        free.push(row);
        room -= sizeOf(payload as QueuePayload);
      }
    }
    take(connection, queue, terms, free, blocked.length === 0);
    keys.park(blocked);
    taken.push(...free);
    looked += page.length;
    after = page.at(-1)?.[0] ?? after;
    if (page.length === 0 || (page.length < wanted && taken.length > 0)) break;
  }
  return taken;
}

/** The next ready messages, as many as there is room for; one at least if `atLeastOne`. */
function look(
  connection: Connection,
  queue: number,
  after: number,
  wanted: number,
  room: number,
  atLeastOne: boolean,
): readonly MessageRow[] {
  const rows = connection.prepareTuples(LOOK);
  const share = Math.max(0, Math.min(room / wanted, Number.MAX_SAFE_INTEGER));
  const page = rows(share, queue, after, wanted) as readonly unknown[] as readonly MessageRow[];
  if (page.every((row) => row[5] !== null)) return page;
  let count = 0;
  let bytes = 0;
  for (const { size } of connection.prepare(SIZES).all(queue, after, wanted) as {
    size: number;
  }[]) {
    bytes += size;
    if (bytes > room && !(atLeastOne && count === 0)) break;
    count += 1;
  }
  return rows(Number.MAX_SAFE_INTEGER, queue, after, count) as readonly unknown[] as MessageRow[];
}

function take(
  connection: Connection,
  queue: number,
  { token, until }: LeaseTerms,
  rows: readonly MessageRow[],
  inRow: boolean,
): void {
  const first = rows[0];
  const last = rows.at(-1);
  if (first === undefined || last === undefined) return;
  if (inRow) {
    connection.prepare(TAKE_RANGE).run(until, token, queue, first[0], last[0]);
  } else {
    const ids = JSON.stringify(rows.map(([id]) => id));
    connection.prepare(TAKE_EACH).run(until, token, ids);
  }
}
