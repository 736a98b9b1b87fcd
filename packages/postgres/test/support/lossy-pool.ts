import type pg from "pg";
import type { PostgresConnection, PostgresPool } from "@westend/postgres";

/** A pool whose connections are lost now and then, just before a statement or when it was carried out and nobody heard so. */
export class LossyPool implements PostgresPool {
  readonly totalCount = 0;
  losses = 0;
  readonly #pool: pg.Pool;
  readonly #random: () => number;
  /** The part of statements before, and as many after which, the connection is lost. */
  #rate = 0;
  #statement = /^/;

  constructor(pool: pg.Pool, random: () => number) {
    this.#pool = pool;
    this.#random = random;
  }

  lose(rate: number, statement = /^/): void {
    this.#rate = rate;
    this.#statement = statement;
  }

  async connect(): Promise<PostgresConnection> {
    const client = await this.#pool.connect();
    const lost = (): Error => {
      this.losses += 1;
      (
        client as unknown as { connection: { stream: { destroy(): void } } }
      ).connection.stream.destroy();
      return new Error("Connection terminated unexpectedly");
    };
    return {
      query: async (statement) => {
        const chance = this.#statement.test(statement.text) ? this.#random() : 0.5;
        if (chance < this.#rate) throw lost();
        const result = await client.query(statement as { text: string });
        if (chance > 1 - this.#rate) throw lost();
        return result;
      },
      release: (destroy) => client.release(destroy),
      on: client.on.bind(client),
      removeListener: client.removeListener.bind(client),
    };
  }

  get on(): PostgresPool["on"] {
    return this.#pool.on.bind(this.#pool);
  }
}
