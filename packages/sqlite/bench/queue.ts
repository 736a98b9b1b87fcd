/**
 * The queue against bare prepared statements in transactions of the same size (performance.md §3: at least 0.8 ×).
 * Rounds are interleaved, because the machine does not stay the same for a minute.
 * Run: node --conditions=@westend/source packages/sqlite/bench/queue.ts [messages] [rounds] [full|normal] [bytes]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sqliteQueue } from "@westend/sqlite";

const BATCH = 100;
const count = Number(process.argv[2] ?? 20_000);
const rounds = Number(process.argv[3] ?? 7);
const synchronous = process.argv[4] === "normal" ? "normal" : "full";
const payload = "x".repeat(Number(process.argv[5] ?? 200));
const folder = mkdtempSync(join(tmpdir(), "westend-bench-"));
let files = 0;
const newPath = (): string => join(folder, `${(files += 1)}.db`);

interface Figures {
  readonly enqueue: number;
  readonly leaseAndAck: number;
}

async function rate(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return count / ((performance.now() - started) / 1_000);
}

async function bare(): Promise<Figures> {
  const database = new DatabaseSync(newPath());
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous};
    CREATE TABLE q (id INTEGER PRIMARY KEY, visible_at INTEGER, attempts INTEGER, payload);
    CREATE INDEX visible ON q (visible_at)`);
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  const insert = database.prepare("INSERT INTO q (visible_at, attempts, payload) VALUES (?, 0, ?)");
  const lease = database.prepare(`UPDATE q SET visible_at = ?, attempts = attempts + 1 WHERE id IN
    (SELECT id FROM q WHERE visible_at <= ? ORDER BY visible_at, id LIMIT ${BATCH}) RETURNING id, payload, attempts`);
  const remove = database.prepare("DELETE FROM q WHERE id IN (SELECT value FROM json_each(?))");
  const figures = {
    enqueue: await rate(async () => {
      for (let done = 0; done < count; done += BATCH) {
        begin.run();
        const now = Date.now();
        for (let each = 0; each < BATCH; each += 1) insert.run(now, payload);
        commit.run();
      }
    }),
    leaseAndAck: await rate(async () => {
      for (let done = 0; done < count; done += BATCH) {
        begin.run();
        const now = Date.now();
        const rows = lease.all(now + 30_000, now) as { id: number }[];
        commit.run();
        begin.run();
        remove.run(JSON.stringify(rows.map(({ id }) => id)));
        commit.run();
      }
    }),
  };
  database.close();
  return figures;
}

async function ours(keys: number): Promise<Figures> {
  const queue = sqliteQueue({ path: newPath(), synchronous });
  await queue.open();
  let number = 0;
  const figures = {
    enqueue: await rate(async () => {
      for (let done = 0; done < count; done += BATCH) {
        await queue.enqueueAll(
          Array.from({ length: BATCH }, () =>
            keys === 0 ? payload : { payload, key: (number += 1) % keys },
          ),
        );
      }
    }),
    leaseAndAck: await rate(async () => {
      for (let done = 0; done < count; done += BATCH) {
        await queue.acknowledge(await queue.lease());
      }
    }),
  };
  if ((await queue.size()) !== 0) throw new Error("not everything was leased");
  await queue.close();
  return figures;
}

/** Single enqueues that come at once share transactions. */
async function singles(): Promise<number> {
  const queue = sqliteQueue({ path: newPath(), synchronous });
  await queue.open();
  const result = await rate(async () => {
    for (let done = 0; done < count; done += 1_000) {
      await Promise.all(Array.from({ length: 1_000 }, () => queue.enqueue(payload)));
    }
  });
  await queue.close();
  return result;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const all: { bare: Figures; ours: Figures; keyed: Figures; singles: number }[] = [];
try {
  for (let round = -1; round < rounds; round += 1) {
    const figures = {
      bare: await bare(),
      ours: await ours(0),
      keyed: await ours(1_000),
      singles: await singles(),
    };
    if (round >= 0) all.push(figures);
  }
} finally {
  rmSync(folder, { recursive: true });
}

console.log(
  `${count} messages of ${payload.length} bytes, batches of ${BATCH}, synchronous = ${synchronous}, Node ${process.versions.node}`,
);
const show = (name: string, of: (round: (typeof all)[number]) => number): void => {
  const ratio = (round: (typeof all)[number], what: "enqueue" | "leaseAndAck"): number =>
    of(round) / round.bare[what];
  const what = name.startsWith("lease") ? "leaseAndAck" : "enqueue";
  const ratios = all.map((round) => ratio(round, what));
  console.log(
    `${name.padEnd(28)} ${Math.round(median(all.map(of)))
      .toLocaleString("en")
      .padStart(
        9,
      )} msg/s   ${median(ratios).toFixed(2)} × bare (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`,
  );
};
show("enqueue, bare", (round) => round.bare.enqueue);
show("enqueue", (round) => round.ours.enqueue);
show("enqueue, keyed", (round) => round.keyed.enqueue);
show("enqueue, one by one", (round) => round.singles);
show("lease + acknowledge, bare", (round) => round.bare.leaseAndAck);
show("lease + acknowledge", (round) => round.ours.leaseAndAck);
show("lease + acknowledge, keyed", (round) => round.keyed.leaseAndAck);
