import { Client } from "pg";

export async function createTable(database: string): Promise<void> {
  await query(
    database,
    `CREATE TABLE IF NOT EXISTS flights (id text PRIMARY KEY, departs integer NOT NULL,
     delay integer NOT NULL, distance integer NOT NULL)`,
  );
}

export interface Contents {
  readonly rows: number;
  readonly ids: number;
  /** Transactions that have written rows. */
  readonly writes: number;
  /** Of the ids asked for, those that are not there. */
  readonly missing: number;
}

/** What is really in the table. */
export async function contents(database: string, ids: readonly string[]): Promise<Contents> {
  const [found] = await query(
    database,
    `SELECT count(*)::int AS rows, count(DISTINCT id)::int AS ids, count(DISTINCT xmin::text)::int AS writes,
       (SELECT count(*)::int FROM unnest($1::text[]) AS wanted(id)
        WHERE NOT EXISTS (SELECT FROM flights WHERE flights.id = wanted.id)) AS missing
     FROM flights`,
    [ids],
  );
  return found as Contents;
}

async function query(database: string, text: string, values: unknown[] = []): Promise<object[]> {
  const client = new Client({ connectionString: database });
  await client.connect();
  try {
    return (await client.query<object>(text, values)).rows;
  } finally {
    await client.end();
  }
}
