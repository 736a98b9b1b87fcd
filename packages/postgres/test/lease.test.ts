import { expect, it } from "vitest";
import { describeWith } from "test-servers/vitest";
import { postgresQueue, type PostgresPool } from "@westend/postgres";
import type { Statement } from "../src/client.ts";
import { testDatabase } from "./support/database.ts";

describeWith("postgres", "a lease", () => {
  it("does not read the whole table for each message of a key that has most of them", async () => {
    const { pool, schema, rows } = await testDatabase();
    const statements: Statement[] = [];
    const connect: PostgresPool["connect"] = async () => {
      const client = await pool.connect();
      return {
        query(statement) {
          statements.push(statement);
          return client.query(statement as { text: string });
        },
        release: (destroy) => client.release(destroy),
        on: () => undefined,
        removeListener: () => undefined,
      };
    };
    const queue = postgresQueue({ totalCount: 0, connect, on: () => undefined }, { schema });
    await queue.enqueueAll(Array.from({ length: 3_000 }, () => ({ payload: "", key: "k" })));
    await rows("analyze message");
    expect(await queue.lease()).toHaveLength(100);
    const take = statements.find(({ name }) => name?.includes("take"));
    const plan = await rows(`explain ${take?.text}`, take?.values);
    expect(plan.map((row) => row["QUERY PLAN"]).join("\n")).not.toContain("Seq Scan");
  });
});
