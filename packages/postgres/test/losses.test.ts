import { expect, it, onTestFinished } from "vitest";
import { describeWith } from "test-servers/vitest";
import { constant, definePipeline, retry, text, type RunningPipeline } from "westend";
import {
  batchInsert,
  postgres,
  postgresDeadLetter,
  postgresInbox,
  postgresQueue,
  retryable,
  type PostgresPool,
} from "@westend/postgres";
import { testDatabase } from "./support/database.ts";
import { LossyPool } from "./support/lossy-pool.ts";

const COUNT = 200;
const KEYS = 11;
/** The row of one in so many is refused. */
const REFUSED = 40;

const refused = (id: number): boolean => id % REFUSED === 7;

/** Writes each message of the queue into a table, once. */
function consumer(target: PostgresPool, schema: string, seen: (id: number) => void) {
  const queue = postgresQueue(target, { schema });
  const inbox = postgresInbox(target, { schema, name: "effects" });
  const effects = batchInsert(target, { schema, table: "effect", columns: { id: "integer" } });
  return definePipeline({
    name: "losses",
    producer: postgres({ queue, idle: 20, lease: 1_000 }),
    decoder: text(),
    processor: { handle: (message) => message.to("effects", { id: Number(message.data) }) },
    batchers: {
      effects: {
        size: 10,
        timeout: 5,
        concurrency: 3,
        partitionBy: ({ key }) => String(key),
        retry: retry({ attempts: 1_000, backoff: constant(5), when: retryable }),
        handle: (messages) =>
          inbox.handle(messages, {
            id: ({ metadata }) => metadata.id,
            async apply(fresh, transaction) {
              const rows = fresh.map(({ data }) => data);
              await effects.insert(rows, transaction);
              for (const { id } of rows) seen(id);
            },
          }),
      },
    },
    deadLetter: postgresDeadLetter({ queue }),
  });
}

describeWith("postgres", "connections that are lost before or after any statement", () => {
  it("lose and repeat no effect, no dead letter, and nothing that is sent back", async () => {
    const { pool, schema, another, rows } = await testDatabase(
      `create table effect (id integer check (id % ${REFUSED} <> 7))`,
    );
    const queue = postgresQueue(pool, { schema });
    const ids = Array.from({ length: COUNT }, (_, id) => id);
    await queue.enqueueAll(ids.map((id) => ({ payload: `${id}`, key: id % KEYS })));

    const pools = [1, 2].map(() => new LossyPool(another({ max: 8 }), Math.random));
    const running: RunningPipeline[] = [];
    onTestFinished(async () => {
      for (const lossy of pools) lossy.lose(0);
      for (const each of running) await each.stop();
    });
    const seen: number[] = [];
    for (const lossy of pools) {
      running.push(await consumer(lossy, schema, (id) => void seen.push(id)).start());
      lossy.lose(0.03);
    }
    await expect.poll(() => queue.size(), { timeout: 60_000 }).toBe(0);

    expect(pools.map(({ losses }) => losses > 0)).toEqual([true, true]);
    const written = await rows("select id from effect order by id");
    expect(written.map(({ id }) => id)).toEqual(ids.filter((id) => !refused(id)));
    const letters = await queue.deadLetters.list();
    expect(letters.map(({ payload }) => Number(payload)).toSorted((a, b) => a - b)).toEqual(
      ids.filter(refused),
    );
    // The first time that each was handled.
    for (let key = 0; key < KEYS; key += 1) {
      const ofKey = [...new Set(seen)].filter((id) => id % KEYS === key);
      expect(ofKey).toEqual(ofKey.toSorted((a, b) => a - b));
    }

    for (const lossy of pools) lossy.lose(0);
    for (const each of running.splice(0)) await each.stop();
    const [lossy] = pools as [LossyPool];
    lossy.lose(0.2);
    const redriving = postgresQueue(lossy, { schema, listen: false });
    while ((await queue.deadLetters.count()) > 0) {
      await redriving.deadLetters.redrive({ by: "test" }).catch(() => undefined);
    }
    lossy.lose(0);
    expect(await queue.counts()).toMatchObject({ ready: letters.length, dead: 0 });
    const moved = (await queue.deadLetters.audit(1_000)).reduce((sum, { count }) => sum + count, 0);
    expect(moved).toBe(letters.length);
  });
});
