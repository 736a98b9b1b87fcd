import type { Connection } from "./connection.ts";

/** Tokens of one owner. */
const TOKENS = 2 ** 22;

/**
 * The owner of what nobody has leased. Owners count from here, so that all tokens are equally wide (8 bytes):
 * a row that keeps its size is overwritten in place, and the pages of a large payload are not written again at every lease.
 */
export const NOBODY: number = 2 ** 25;

/** The token of what nobody has leased. */
export const NO_TOKEN: number = NOBODY * TOKENS;

const NEXT = "UPDATE westend_meta SET value = value + 1 WHERE name = 'owner' RETURNING value";

/** Somebody who leases messages: gives out tokens that nobody else in the file has ever had or will have. */
export class Owner {
  #number = 0;
  #used = TOKENS;

  /** All its tokens are from here... */
  get first(): number {
    return this.#number * TOKENS;
  }

  /** ...to here. */
  get last(): number {
    return this.first + TOKENS - 1;
  }

  /** A token for one lease. Now and then, and at first, the file is asked for a number of one's own to make them from. */
  async next(connection: Connection, signal?: AbortSignal): Promise<number> {
    if (this.#used >= TOKENS - 1) {
      const read = (): unknown => connection.prepare(NEXT).get();
      const row = (await connection.write(read, { urgent: true, signal })) as { value: number };
      this.#number = row.value;
      this.#used = 0;
    }
    this.#used += 1;
    return this.first + this.#used;
  }
}
