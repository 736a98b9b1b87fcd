import { Client } from "pg";
import { type PostgresServer, startPostgres } from "test-servers";
import { describeWith } from "test-servers/vitest";
import { afterAll, beforeAll, expect, it } from "vitest";

describeWith("postgres", "a PostgreSQL of its own", () => {
  let postgres: PostgresServer;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  it("gives each test a database", async () => {
    const [one, two] = [await postgres.createDatabase("one"), await postgres.createDatabase("two")];
    await query(one, "create table rows (id int)");

    await expect(query(two, "select * from rows")).rejects.toThrow('"rows" does not exist');
  });

  it("keeps what was committed through kill -9, at the same address", async () => {
    const url = await postgres.createDatabase("kept");
    await query(url, "create table rows as select 1 as id");

    await postgres.kill();
    await expect(query(url, "select 1")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await postgres.restart();

    expect(await query(url, "select * from rows")).toEqual([{ id: 1 }]);
  });

  it("answers nobody while it is paused, and then those who waited", async () => {
    const url = await postgres.createDatabase("paused");
    const client = new Client({ connectionString: url });
    await client.connect();
    let answered = false;

    postgres.pause();
    const answer = client.query("select 1").then(() => (answered = true));
    const newcomer = new Client({ connectionString: url, connectionTimeoutMillis: 200 });
    await expect(newcomer.connect()).rejects.toThrow("timeout");
    expect(answered).toBe(false);
    postgres.resume();

    await answer;
    await client.end();
  });
});

async function query(url: string, statement: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}
