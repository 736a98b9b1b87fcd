import { systemClock, type Timer } from "westend";
import type { PostgresPool } from "./client.ts";
import type { Database } from "./database.ts";

const FIRST_WAIT = 100;
const LONGEST_WAIT = 5_000;

/** What `pg` takes if a pool has no `max`. */
const MAX = 10;

/** Is told of the queue that has new messages; of `undefined` after a time of deafness, in which any may have got some. */
export type Heard = (queue: string | undefined) => void;

/** By pool and channel: a connection that only listens is lost for everything else, so there is one for all queues of a schema. */
const listeners = new WeakMap<PostgresPool, Map<string, Listener>>();

/**
 * Hears of messages other processes enqueue, until the function that is returned is called. While it cannot, and where it would take the
 * last connection of the pool, sources look by themselves now and then.
 */
export function listen(database: Database, channel: string, heard: Heard): () => void {
  const { pool } = database;
  if (pool === undefined) return () => undefined;
  const all = listeners.get(pool) ?? new Map<string, Listener>();
  listeners.set(pool, all);
  let listener = all.get(channel);
  if (listener === undefined) {
    if (all.size + 1 >= (pool.options?.max ?? MAX)) return () => undefined;
    listener = new Listener(database, pool, channel);
    all.set(channel, listener);
    void listener.start();
  }
  return listener.add(heard, () => all.delete(channel));
}

/** Listens on one connection, and on another when that is lost. */
class Listener {
  readonly #database: Database;
  readonly #pool: PostgresPool;
  readonly #channel: string;
  readonly #heard = new Set<Heard>();
  #end: (() => void) | undefined;
  #timer: Timer | undefined;
  #wait = FIRST_WAIT;
  #stopped = false;

  constructor(database: Database, pool: PostgresPool, channel: string) {
    this.#database = database;
    this.#pool = pool;
    this.#channel = channel;
  }

  /** @param over called when nobody listens any more */
  add(heard: Heard, over: () => void): () => void {
    this.#heard.add(heard);
    return () => {
      if (!this.#heard.delete(heard) || this.#heard.size > 0) return;
      this.#stop();
      over();
    };
  }

  async start(): Promise<void> {
    try {
      const end = await this.#database.listen(
        this.#pool,
        this.#channel,
        (queue) => this.#tell(queue),
        () => this.#again(),
      );
      if (this.#stopped) return end();
      this.#end = end;
      this.#wait = FIRST_WAIT;
      this.#tell(undefined);
    } catch {
      this.#again();
    }
  }

  #tell(queue: string | undefined): void {
    for (const heard of this.#heard) heard(queue);
  }

  #stop(): void {
    this.#stopped = true;
    systemClock.clearTimer(this.#timer);
    this.#end?.();
    this.#end = undefined;
  }

  #again(): void {
    this.#end = undefined;
    if (this.#stopped) return;
    this.#timer = systemClock.setTimer(() => void this.start(), this.#wait);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
  }
}
