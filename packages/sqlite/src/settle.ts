import type { Connection } from "./connection.ts";
import type { KeyOrder } from "./key-order.ts";
import { TryAgain } from "./transaction.ts";
import { HELD, READY } from "./schema.ts";
import { NO_TOKEN } from "./token.ts";

/** What proves that a message is ours: a token no other lease of it ever has. */
export interface Claim {
  readonly sequence: number;
  readonly token: number;
  readonly key: string | undefined;
}

/** The token alone decides: a lease that ran out but was not given to anybody else since is still good. */
const MINE = "WHERE id IN (SELECT value FROM json_each(?)) AND token = ? RETURNING id";
const DELETE = `DELETE FROM westend_message ${MINE}`;
const DELETE_RANGE = "DELETE FROM westend_message WHERE id BETWEEN ? AND ? AND token = ?";
const RELEASE = `UPDATE westend_message SET attempts = max(0, attempts - ?), state = ${READY},
  token = ${NO_TOKEN} ${MINE}`;
const RETRY = `UPDATE westend_message SET due = ?, state = ${HELD}, token = ${NO_TOKEN} ${MINE}`;
const EXTEND = `UPDATE westend_message SET due = ?, state = ${HELD} ${MINE}`;

/** Ends or changes leases; every method is to be called in a transaction and returns the claims that are no longer good. */
export class Settlement {
  readonly #connection: Connection;
  readonly #keys: KeyOrder;

  constructor(connection: Connection, keys: KeyOrder) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** The messages are done with. */
  remove<Each extends Claim>(claims: readonly Each[]): Each[] {
    const lost: Each[] = [];
    for (const [token, group] of Map.groupBy(claims, (claim) => claim.token)) {
      if (!this.#removeRange(token, group)) lost.push(...this.#apply(DELETE, group));
    }
    return this.#freeing(claims, lost);
  }

  /** Gives messages back; they are ready at once. `refund` takes back the attempt that was counted when they were leased. */
  release<Each extends Claim>(claims: readonly Each[], refund: boolean): Each[] {
    return this.#freeing(claims, this.#apply(RELEASE, claims, refund ? 1 : 0));
  }

  /** Makes messages wait until `due`, and what is behind them in their key. */
  retry<Each extends Claim>(claims: readonly Each[], due: number): Each[] {
    return this.#apply(RETRY, claims, due);
  }

  extend<Each extends Claim>(claims: readonly Each[], due: number): Each[] {
    return this.#apply(EXTEND, claims, due);
  }

  /** Three times as fast, for messages that stand side by side as most batches do; false if they do not. */
  #removeRange(token: number, claims: readonly Claim[]): boolean {
    if (this.#connection.isSecondTry) return false;
    let first = Infinity;
    let last = -Infinity;
    for (const { sequence } of claims) {
      first = Math.min(first, sequence);
      last = Math.max(last, sequence);
    }
    if (last - first + 1 !== claims.length) return false;
    const { changes } = this.#connection.prepare(DELETE_RANGE).run(first, last, token);
    if (Number(changes) === claims.length) return true;
    // Some are not ours any more; which ones, only the slow way tells.
    throw new TryAgain();
  }

  #apply<Each extends Claim>(sql: string, claims: readonly Each[], ...changes: number[]): Each[] {
    const lost: Each[] = [];
    for (const [token, group] of Map.groupBy(claims, (claim) => claim.token)) {
      const ids = JSON.stringify(group.map(({ sequence }) => sequence));
      const done = this.#connection.prepare(sql).all(...changes, ids, token) as { id: number }[];
      if (done.length === group.length) continue;
      const good = new Set(done.map(({ id }) => id));
      lost.push(...group.filter(({ sequence }) => !good.has(sequence)));
    }
    return lost;
  }

  #freeing<Each extends Claim>(claims: readonly Each[], lost: Each[]): Each[] {
    const keys = new Set<string>();
    for (const { key } of claims) if (key !== undefined) keys.add(key);
    this.#keys.free(keys);
    return lost;
  }
}
