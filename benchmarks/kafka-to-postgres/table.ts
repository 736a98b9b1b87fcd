import { Client } from "pg";

/** What the server needs, so that the table itself says who did what, and when. */
export const SERVER_SETTINGS: Readonly<Record<string, string>> = {
  shared_preload_libraries: "pg_stat_statements",
  // Since when others see a row: the only moment that means the same for all contestants.
  track_commit_timestamp: "on",
  max_wal_size: "4GB",
};

/** The table everybody writes, and the ground truth. */
export class Table {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  static async create(url: string): Promise<Table> {
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query("CREATE EXTENSION pg_stat_statements");
    await client.query(
      `CREATE TABLE flights (id text PRIMARY KEY, delay int NOT NULL, distance int NOT NULL,
       time float8 NOT NULL, produced_at timestamptz NOT NULL)`,
    );
    return new Table(client);
  }

  async reset(): Promise<void> {
    await this.#client.query("TRUNCATE flights");
    // Nobody is to pay for what another one has written.
    await this.#client.query("CHECKPOINT");
    await this.#client.query("SELECT pg_stat_statements_reset()");
  }

  /** Rows whose id begins with `prefix`. */
  async count(prefix = ""): Promise<number> {
    const { rows } = await this.#client.query<{ count: string }>(
      "SELECT count(*) FROM flights WHERE starts_with(id, $1)",
      [prefix],
    );
    return Number(rows[0]?.count);
  }

  /** INSERT statements executed on the table, as the server has counted them. */
  async inserts(): Promise<number> {
    const { rows } = await this.#client.query<{ calls: string }>(
      `SELECT coalesce(sum(calls), 0) AS calls FROM pg_stat_statements
       WHERE query ~* '^\\s*(with .*)?insert into .*flights'`,
    );
    return Number(rows[0]?.calls);
  }

  /** For each row when its event was made and when it was committed, in milliseconds since the epoch, in order of production. */
  async written(prefix = ""): Promise<readonly { produced: number; committed: number }[]> {
    const { rows } = await this.#client.query<[number, number]>({
      text: `SELECT extract(epoch FROM produced_at)::float8 * 1000,
               extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 * 1000
             FROM flights WHERE starts_with(id, $1) ORDER BY 1`,
      values: [prefix],
      rowMode: "array",
    } as never);
    return rows.map(([produced, committed]) => ({ produced, committed }));
  }

  async version(): Promise<string> {
    const { rows } = await this.#client.query<{ server_version: string }>("SHOW server_version");
    return rows[0]?.server_version ?? "unknown";
  }

  async close(): Promise<void> {
    await this.#client.end();
  }
}
