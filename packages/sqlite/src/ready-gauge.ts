import type { OpenedQueue } from "./opened-queue.ts";
import { PARKED, READY } from "./schema.ts";

const COUNT = `SELECT
  (SELECT count(*) FROM westend_message WHERE queue = ? AND state = ${READY}) +
  (SELECT count(*) FROM westend_message WHERE queue = ? AND state = ${PARKED}) AS count`;

/** Counting may take so much of the time: one part in this many. */
const SHARE = 100;

/** How many messages are ready, as of a moment ago: a count takes the longer the more there are, so it is not made at every call. */
export class ReadyGauge {
  readonly #queue: OpenedQueue;
  #count: number | undefined;
  #validUntil = -Infinity;

  constructor(queue: OpenedQueue) {
    this.#queue = queue;
  }

  read(): number | undefined {
    const { connection, number } = this.#queue;
    const started = connection.clock.now();
    if (started < this.#validUntil) return this.#count;
    const row = connection.read(() => connection.prepare(COUNT).get(number, number));
    this.#count = (row as { count: number }).count;
    const ended = connection.clock.now();
    this.#validUntil = ended + (ended - started) * SHARE;
    return this.#count;
  }
}
