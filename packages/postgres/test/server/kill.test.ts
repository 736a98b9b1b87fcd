import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { expect, it, onTestFinished } from "vitest";
import { sharedPostgres, uniqueName, describeWith } from "test-servers/vitest";
import { postgresQueue } from "@westend/postgres";

const COUNT = 5_000;
const KILLS = 10;

describeWith("postgres", "a consumer that is killed again and again", () => {
  it("loses nothing, and with an inbox repeats nothing", async () => {
    const name = uniqueName("kill");
    const admin = new pg.Pool({ connectionString: sharedPostgres() });
    onTestFinished(() => admin.end());
    await admin.query(`create database "${name}"`);
    const url = sharedPostgres().replace(/\/postgres$/, `/${name}`);
    const pool = new pg.Pool({ connectionString: url });
    onTestFinished(() => pool.end());
    await pool.query("create table effect (id text)");
    const queue = postgresQueue(pool);
    await queue.enqueueAll(
      Array.from({ length: COUNT }, (_, id) => ({ payload: `${id}`, key: `${id % 50}` })),
    );
    const path = fileURLToPath(new URL("../fixtures/consumer.ts", import.meta.url));
    const start = () =>
      spawn(process.execPath, ["--conditions=@westend/source", path, url], {
        stdio: ["ignore", "inherit", "inherit"],
      });
    const written = async (): Promise<number> =>
      (await pool.query("select count(*)::int as count from effect")).rows[0].count;
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const child = start();
      // A kill at its share of the work, so that each comes in the middle of something.
      await expect
        .poll(written, { timeout: 60_000, interval: 1 })
        .toBeGreaterThan((COUNT * kill) / (KILLS + 2));
      child.kill("SIGKILL");
      await once(child, "close");
    }
    const last = start();
    const [code] = (await once(last, "close")) as [number];
    expect(code).toBe(0);
    const { rows } = await pool.query("select id, count(*)::int as count from effect group by id");
    expect(rows).toHaveLength(COUNT);
    expect(rows.filter(({ count }) => count !== 1)).toEqual([]);
    expect(await queue.size()).toBe(0);
  });
});
