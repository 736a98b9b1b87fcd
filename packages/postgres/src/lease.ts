import type { Session } from "./database.ts";
import { arrayText } from "./encode.ts";
import type { Coding } from "./payload.ts";
import { HELD, READY } from "./schema.ts";
import type { Store } from "./store.ts";

/** Messages that fall due, and so become ready, at one look. */
const MOST_LATE = 1_000;

/** A message as it was leased. */
export interface MessageRow {
  readonly id: string;
  readonly key: string | null;
  readonly attempts: number;
  readonly enqueued: number;
  readonly leased: number;
  readonly coding: Coding;
  readonly payload: Uint8Array;
}

export interface LeaseTerms {
  readonly queue: string;
  readonly limit: number;
  readonly bytes: number;
  /** Who leases: more messages of a key may go to whoever has the earlier ones. */
  readonly owner: string;
  readonly token: string;
  /** Milliseconds. */
  readonly duration: number;
}

interface Candidate {
  readonly id: string;
  readonly size: number;
  readonly keyed: boolean;
}

/** Whether a lease could bring anything. */
export async function anyDue(session: Session, store: Store, queue: string): Promise<boolean> {
  const table = store.table("message");
  const { rows } = await session.query({
    name: store.statement("due"),
    text: `select exists (select from ${table} where queue = $1 and state = ${READY})
      or exists (select from ${table} where queue = $1 and state <> ${READY} and due <= clock_timestamp()) as due`,
    values: [queue],
  });
  return (rows[0] as { due: boolean }).due;
}

/**
 * Leases ready messages in the order in which they were enqueued; call it in a transaction. Gives at most `limit`, and no more than
 * `bytes` unless the first alone is larger.
 */
export async function lease(
  session: Session,
  store: Store,
  terms: LeaseTerms,
): Promise<MessageRow[]> {
  await promote(session, store, terms.queue);
  const candidates = await look(session, store, terms);
  const ids: string[] = [];
  let room = terms.bytes;
  for (const { id, size } of candidates) {
    if (size > room && ids.length > 0) break;
    room -= size;
    ids.push(id);
  }
  if (ids.length === 0) return [];
  const keyed = candidates.some((candidate) => candidate.keyed);
  const rows = await take(session, store, terms, ids, keyed);
  return rows.sort((a, b) => Number(a.id) - Number(b.id));
}

/** Makes ready what has fallen due: delayed messages, failed ones, and those whose lease has run out. */
async function promote(session: Session, store: Store, queue: string): Promise<void> {
  const table = store.table("message");
  await session.query({
    name: store.statement("promote"),
    text: `update ${table} set state = ${READY} where id in (
      select id from ${table} where queue = $1 and state <> ${READY} and due <= clock_timestamp()
      order by due limit ${MOST_LATE} for update skip locked)`,
    values: [queue],
  });
}

/**
 * Of the key of a message `m`, somebody else has one, be it a later one: the one before it may have failed, and be ready again. What only
 * waits to be tried again holds back what is behind it.
 */
const heldByOthers = (table: string, owner: string): string =>
  `exists (select from ${table} h where h.queue = m.queue and h.key = m.key and h.state = ${HELD}
    and h.owner is distinct from ${owner}::uuid and (h.id < m.id or h.token is not null))`;

/** Locks ready messages that nobody else has locked; of a key only while nobody else holds any. */
async function look(session: Session, store: Store, terms: LeaseTerms): Promise<Candidate[]> {
  const table = store.table("message");
  const { rows } = await session.query({
    name: store.statement("look"),
    text: `with candidate as materialized (
        select id, key, octet_length(payload) as size from ${table} m
        where queue = $1 and state = ${READY} and (key is null or not ${heldByOthers(table, "$3")})
        order by id limit $2 for update skip locked)
      select id::text, size, key is not null as keyed from candidate order by candidate.id`,
    values: [terms.queue, terms.limit, terms.owner],
  });
  return rows as Candidate[];
}

/**
 * Looks at keys once more, in a new snapshot: a message stays if an earlier one of its key is not taken with it, be it that somebody
 * else has locked that one, or has leased it meanwhile. One that has fallen due and is not ready is being made so, and taken, by somebody
 * else just now. The first is asked for, not whether there is any: of a key that has most of the messages a planner that expects many
 * would read the whole table each time, and find none.
 */
async function take(
  session: Session,
  store: Store,
  { owner, token, duration }: LeaseTerms,
  ids: readonly string[],
  keyed: boolean,
): Promise<MessageRow[]> {
  const table = store.table("message");
  const first = keyed
    ? `and (m.key is null or not ${heldByOthers(table, "$4")} and (
        select e.id from ${table} e where e.queue = m.queue and e.key = m.key and e.id < m.id
          and (e.state = ${READY} or e.due <= clock_timestamp()) and e.id <> all ($1::bigint[])
        order by e.id limit 1) is null)`
    : "";
  const { rows } = await session.query({
    name: store.statement(keyed ? "take_keyed" : "take"),
    text: `update ${table} m set state = ${HELD}, token = $2::uuid, owner = $4::uuid, attempts = attempts + 1,
        due = clock_timestamp() + $3 * interval '1 millisecond'
      where id = any ($1::bigint[]) ${first}
      returning id::text, key, attempts, coding, payload,
        (extract(epoch from enqueued_at) * 1000)::float8 as enqueued,
        (extract(epoch from clock_timestamp()) * 1000)::float8 as leased`,
    values: [arrayText(ids, true), token, duration, owner],
  });
  return rows as MessageRow[];
}
