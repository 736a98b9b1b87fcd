import pg from "pg";
import { onTestFinished } from "vitest";
import { sharedPostgres, uniqueName } from "test-servers/vitest";
import type { PostgresConnection, PostgresPool } from "@westend/postgres";

/** A schema of a test's own on the shared server, gone when the test has ended. */
export interface TestDatabase {
  readonly schema: string;
  readonly url: string;
  /** Sees the schema as if there were no other. */
  readonly pool: pg.Pool;
  /** Another such pool, as another process would have it. */
  another(config?: pg.PoolConfig): pg.Pool;
  rows(sql: string, values?: unknown[]): Promise<any[]>;
}

/** @param sql what to create in it */
export async function testDatabase(sql = "select 1"): Promise<TestDatabase> {
  const schema = uniqueName("test");
  const url = sharedPostgres();
  const pools: pg.Pool[] = [];
  const another = (config: pg.PoolConfig = {}): pg.Pool => {
    const options = `-c search_path=${schema}`;
    // Without a limit for idle connections: its timers would look like some that were left behind.
    const pool = new pg.Pool({
      connectionString: url,
      options,
      max: 4,
      idleTimeoutMillis: 0,
      ...config,
    });
    pool.on("error", () => undefined);
    pools.push(pool);
    return pool;
  };
  const pool = another();
  await pool.query(`create schema "${schema}"`);
  onTestFinished(async () => {
    await pool.query(`drop schema "${schema}" cascade`);
    for (const each of pools) await each.end();
  });
  await pool.query(sql);
  return {
    schema,
    url,
    pool,
    another,
    rows: async (text, values) => (await pool.query(text, values)).rows,
  };
}

/** A pool whose next commit waits, once it is told to `hold`; that resolves with how to go on when the commit is under way. */
export function holding(pool: pg.Pool): {
  readonly target: PostgresPool;
  hold(): Promise<() => void>;
} {
  let arrived: ((goOn: () => void) => void) | undefined;
  const connect = async (): Promise<PostgresConnection> => {
    const client = await pool.connect();
    return {
      async query(given) {
        if (given.text === "commit") {
          await new Promise<void>((goOn) => (arrived === undefined ? goOn() : arrived(goOn)));
        }
        return client.query(given as { text: string });
      },
      release: (destroy) => client.release(destroy),
      on: () => undefined,
      removeListener: () => undefined,
    };
  };
  return {
    target: { totalCount: 0, connect, on: () => undefined },
    hold: () => new Promise((resolve) => (arrived = resolve)),
  };
}

/** A pool of which the next statement that matches can be made to fail. */
export function breakable(
  pool: pg.Pool,
  statement: RegExp,
): { readonly target: PostgresPool; break(): void } {
  let broken = false;
  const connect = async (): Promise<PostgresConnection> => {
    const client = await pool.connect();
    return {
      query(given) {
        if (!broken || !statement.test(given.text)) {
          return client.query(given as { text: string });
        }
        broken = false;
        return Promise.reject(new Error("the disk is gone"));
      },
      release: (destroy) => client.release(destroy),
      on: () => undefined,
      removeListener: () => undefined,
    };
  };
  return {
    target: { totalCount: 0, connect, on: () => undefined },
    break: () => void (broken = true),
  };
}
