import pg from "pg";
import { expect, it, onTestFinished } from "vitest";
import { faultProxy, startPostgres, type FaultProxy, type PostgresServer } from "test-servers";
import { describeWith } from "test-servers/vitest";
import { constant, definePipeline, fromIterable, retry, text } from "westend";
import { batchInsert, postgres, postgresQueue, retryable } from "@westend/postgres";

const COUNT = 3_000;

interface Scene {
  readonly server: PostgresServer;
  readonly proxy: FaultProxy;
  /** Through the proxy. */
  readonly pool: pg.Pool;
  /** Past it. */
  rows(sql: string): Promise<any[]>;
}

async function scene(sql = "select 1"): Promise<Scene> {
  const server = await startPostgres({ fsync: false });
  onTestFinished(() => server.stop());
  const proxy = await faultProxy(server.port);
  onTestFinished(() => proxy.close());
  const pool = new pg.Pool({
    connectionString: `postgresql://postgres@127.0.0.1:${proxy.port}/postgres`,
    connectionTimeoutMillis: 1_000,
  });
  onTestFinished(async () => {
    proxy.clear();
    await pool.end();
  });
  const rows = async (text: string): Promise<any[]> => {
    const client = new pg.Client({ connectionString: server.url });
    client.on("error", () => undefined);
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  };
  await rows(sql);
  return { server, proxy, pool, rows };
}

/** Numbers that come slowly enough for something to happen meanwhile. */
async function* numbers(from: () => void): AsyncGenerator<number> {
  for (let id = 0; id < COUNT; id += 1) {
    if (id === COUNT / 3) from();
    if (id % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    yield id;
  }
}

const FAULTS: readonly [string, (scene: Scene) => Promise<void>][] = [
  ["the server is killed and started again", ({ server }) => server.restart()],
  [
    "connections are reset, again and again",
    async ({ proxy }) => {
      for (let time = 0; time < 5; time += 1) {
        proxy.reset();
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
  ],
  [
    "nobody answers for a while",
    async ({ proxy }) => {
      proxy.set({ stall: true });
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      proxy.clear();
    },
  ],
  [
    "new connections are refused for a while",
    async ({ proxy }) => {
      proxy.set({ down: true });
      proxy.reset();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      proxy.clear();
    },
  ],
  [
    "the server stands still for a while",
    async ({ server }) => {
      server.pause();
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      server.resume();
    },
  ],
];

describeWith("postgres", "batches written while the server fails", () => {
  it.each(FAULTS)("are written once all the same if %s", async (_, fault) => {
    const at = await scene(
      "create table event (id integer primary key, repeated integer default 0)",
    );
    const events = batchInsert(at.pool, {
      table: "event",
      columns: { id: "integer" },
      key: ["id"],
      onConflict: "ignore",
      timeout: 1_000,
    });
    await events.open();
    let failing: Promise<void> | undefined;
    const pipeline = definePipeline({
      name: "faults",
      producer: fromIterable(numbers(() => void (failing = fault(at)))),
      processor: { handle: (message) => message.to("event", { id: message.data }) },
      batchers: {
        event: {
          size: 20,
          timeout: 10,
          concurrency: 3,
          retry: retry({ attempts: 1_000, backoff: constant(50), when: retryable }),
          handle: events.handle,
        },
      },
    });
    const running = await pipeline.start();
    expect(await running.done).toMatchObject({ succeeded: COUNT, failed: 0 });
    await failing;
    expect(await at.rows("select count(*)::int as count from event")).toEqual([{ count: COUNT }]);
  });
});

describeWith("postgres", "a queue whose server fails", () => {
  it.each(FAULTS)("is worked off all the same if %s, and heard of again", async (_, fault) => {
    const at = await scene();
    const queue = postgresQueue(at.pool, { timeout: 1_000 });
    await queue.open();
    const seen = new Set<string>();
    const pipeline = definePipeline({
      name: "faults",
      producer: postgres({ queue, lease: 3_000, idle: 200 }),
      decoder: text(),
      processor: { concurrency: 20, handle: (message) => void seen.add(message.data) },
    });
    await queue.enqueueAll(Array.from({ length: COUNT }, (_, id) => `${id}`));
    const running = await pipeline.start();
    onTestFinished(async () => void (await running.stop()));
    await expect.poll(() => seen.size, { timeout: 60_000 }).toBeGreaterThan(COUNT / 10);
    await fault(at);
    await expect.poll(() => seen.size, { timeout: 60_000 }).toBe(COUNT);
    const size = async (): Promise<unknown> =>
      (await at.rows("select count(*)::int as count from westend.message"))[0].count;
    await expect.poll(size, { timeout: 60_000 }).toBe(0);
    expect((await running.stop()).failed).toBe(0);
  });

  it("is listened to again after its server was started again", async () => {
    const at = await scene();
    const queue = postgresQueue(at.pool);
    const seen: string[] = [];
    const pipeline = definePipeline({
      name: "listening",
      producer: postgres({ queue, idle: 600_000 }),
      decoder: text(),
      processor: { handle: (message) => void seen.push(message.data) },
    });
    const running = await pipeline.start();
    onTestFinished(async () => void (await running.stop()));
    const listening = async (): Promise<number> =>
      (await at.rows("select 1 from pg_stat_activity where query like 'listen %'")).length;
    await expect.poll(listening, { timeout: 60_000 }).toBe(1);
    await at.server.restart();
    await expect.poll(listening, { timeout: 60_000 }).toBe(1);
    const other = new pg.Pool({ connectionString: at.server.url });
    await postgresQueue(other).enqueue("a");
    await other.end();
    await expect.poll(() => seen, { timeout: 60_000 }).toEqual(["a"]);
  });
});

describeWith("postgres", "a server that cannot be used", () => {
  const columns = { id: "integer" } as const;
  const opening = async (url: string): Promise<any> => {
    const pool = new pg.Pool({ connectionString: url, connectionTimeoutMillis: 5_000 });
    onTestFinished(() => pool.end());
    return batchInsert(pool, { table: "t", columns })
      .open()
      .catch((error: unknown) => error);
  };

  it("is told apart: nobody is there, no such database, no such user", async () => {
    const { server, proxy } = await scene();
    const { port } = proxy;
    await proxy.close();
    const refused = await opening(`postgresql://postgres@127.0.0.1:${port}/postgres`);
    expect(refused).toMatchObject({ code: "ECONNREFUSED" });
    expect(refused.message).toContain(`127.0.0.1:${port}): is it running`);
    expect(retryable(refused)).toBe(true);
    const database = await opening(server.url.replace(/postgres$/, "nothing"));
    expect(database).toMatchObject({ code: "WESTEND_ERR_CONFIGURATION" });
    expect(database.message).toContain("Correct its name, or create it");
    const user = await opening(server.url.replace("//postgres@", "//nobody@"));
    expect(user).toMatchObject({ code: "WESTEND_ERR_CONFIGURATION" });
    expect(user.message).toContain("Look at the user");
  });

  it("ends a pipeline that cannot begin, with the reason", async () => {
    const { server } = await scene();
    const pool = new pg.Pool({ connectionString: server.url.replace(/postgres$/, "nothing") });
    onTestFinished(() => pool.end());
    const pipeline = definePipeline({
      name: "hopeless",
      producer: postgres({ queue: postgresQueue(pool) }),
      processor: { handle: () => undefined },
    });
    const error: any = await pipeline.start().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "WESTEND_ERR_PRODUCER" });
    expect(error.cause.message).toContain("a database of the server");
  });
});
