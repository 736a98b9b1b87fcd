import fc from "fast-check";
import { expect, it } from "vitest";
import { describeWith, uniqueName } from "test-servers/vitest";
import { postgresQueue } from "@westend/postgres";
import { testDatabase } from "./support/database.ts";
import { play, steps } from "./support/play.ts";

const RUNS = Number(process.env["WESTEND_PROPERTY_RUNS"] ?? 60);

describeWith("postgres", "any sequence of calls of three consumers", () => {
  it("has the results that a plain list of messages would give, and leaves none behind", async () => {
    expect.hasAssertions();
    const { pool, schema, rows } = await testDatabase();
    const scene = () => {
      const name = uniqueName("queue");
      const pass = (milliseconds: number): Promise<unknown> =>
        rows(`update message set due = due - $1 * interval '1 millisecond' where queue = $2`, [
          milliseconds,
          name,
        ]);
      return { queue: postgresQueue(pool, { schema, name, listen: false }), pass };
    };
    await fc.assert(
      fc.asyncProperty(steps, (all) => play(all, scene())),
      { numRuns: RUNS },
    );
  });
});
