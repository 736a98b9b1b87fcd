import type { Connection } from "./connection.ts";
import { GROUP } from "./pending-work.ts";
import { HELD, PARKED, READY } from "./schema.ts";
import { NO_TOKEN, type Owner } from "./token.ts";

/** Earliest message of a key that somebody else has (0: nothing of the key may go) or that waits to be tried again. */
const HELD_FROM = `SELECT min(CASE WHEN token = ${NO_TOKEN} OR due <= ? THEN id WHEN token NOT BETWEEN ? AND ? THEN 0 END) AS id
  FROM westend_message WHERE queue = ? AND key = ? AND state = ${HELD} AND key IS NOT NULL`;
const PARKED_FROM = `SELECT min(id) AS id FROM westend_message WHERE queue = ? AND key = ? AND state = ${PARKED}`;
const ANY_PARKED = `SELECT 1 FROM westend_message WHERE queue = ? AND state = ${PARKED} LIMIT 1`;
const ANY_HELD = `SELECT 1 FROM westend_message WHERE queue = ? AND key = ? AND state = ${HELD} AND key IS NOT NULL LIMIT 1`;
const PARK = `UPDATE westend_message SET state = ${PARKED} WHERE id IN (SELECT value FROM json_each(?))`;
const UNPARK = `UPDATE westend_message SET state = ${READY} WHERE id IN (
  SELECT id FROM westend_message WHERE queue = ? AND key = ? AND state = ${PARKED} ORDER BY id LIMIT ${GROUP})`;

interface MaybeId {
  readonly id: number | null;
}

/**
 * Keeps the messages of a key in order over all processes, without ever looking through those that cannot go yet:
 * a ready one that is found to be behind its key is parked, out of the index of ready ones, and comes back when its key is free.
 *
 * Parked messages are never forgotten, because of each key that has some either a message is held, whose end brings them back,
 * or the earliest are ready, which are held next.
 */
export class KeyOrder {
  readonly #connection: Connection;
  readonly #queue: number;

  constructor(connection: Connection, queue: number) {
    this.#connection = connection;
    this.#queue = queue;
  }

  /** For one look at the ready messages on behalf of `owner`: whether a message may go. */
  gate(owner: Owner, now: number): (id: number, key: string) => boolean {
    const barriers = new Map<string, number>();
    let anyParked: boolean | undefined;
    return (id, key) => {
      let barrier = barriers.get(key);
      if (barrier === undefined) {
        anyParked ??= this.#get(ANY_PARKED, this.#queue) !== undefined;
        const held =
          this.#get(HELD_FROM, now, owner.first, owner.last, this.#queue, key)?.id ?? Infinity;
        const parked = anyParked
          ? (this.#get(PARKED_FROM, this.#queue, key)?.id ?? Infinity)
          : Infinity;
        barrier = Math.min(held, parked);
        barriers.set(key, barrier);
      }
      return id < barrier;
    };
  }

  park(ids: readonly number[]): void {
    if (ids.length > 0) this.#connection.prepare(PARK).run(JSON.stringify(ids));
  }

  /** To be called when messages of these keys are no longer held; returns how many messages are ready because of it. */
  free(keys: ReadonlySet<string>): number {
    if (keys.size === 0 || this.#get(ANY_PARKED, this.#queue) === undefined) return 0;
    let freed = 0;
    for (const key of keys) {
      if (this.#get(ANY_HELD, this.#queue, key) !== undefined) continue;
      freed += Number(this.#connection.prepare(UNPARK).run(this.#queue, key).changes);
    }
    return freed;
  }

  #get(sql: string, ...parameters: (number | string)[]): MaybeId | undefined {
    return this.#connection.prepare(sql).get(...parameters) as MaybeId | undefined;
  }
}
