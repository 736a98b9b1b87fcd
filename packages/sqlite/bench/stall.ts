/**
 * How long the queue holds the event loop: the longest gap between two turns while it works.
 * Run: node --conditions=@westend/source packages/sqlite/bench/stall.ts [messages]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteQueue, type SqliteQueue } from "@westend/sqlite";

const count = Number(process.argv[2] ?? 100_000);
const folder = mkdtempSync(join(tmpdir(), "westend-stall-"));

async function gaps(name: string, work: () => Promise<void>): Promise<void> {
  const all: number[] = [];
  let last = performance.now();
  let running = true;
  const turn = (): void => {
    const now = performance.now();
    all.push(now - last);
    last = now;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  running = false;
  const sorted = all.toSorted((a, b) => a - b);
  const at = (part: number): string =>
    (sorted[Math.floor((sorted.length - 1) * part)] ?? 0).toFixed(1);
  console.log(`${name.padEnd(40)} p50 ${at(0.5)}  p99 ${at(0.99)}  longest ${at(1)} ms`);
}

async function drain(queue: SqliteQueue): Promise<void> {
  for (;;) {
    const messages = await queue.lease();
    if (messages.length === 0) return;
    await queue.acknowledge(messages);
  }
}

try {
  for (const synchronous of ["full", "normal"] as const) {
    const path = join(folder, `${synchronous}.db`);
    const queue = sqliteQueue({ path, synchronous });
    const other = sqliteQueue({ path, synchronous });
    await queue.open();
    const plain = Array.from({ length: count }, () => "x".repeat(200));
    await gaps(
      `${synchronous}: enqueueAll, ${count}`,
      async () => void (await queue.enqueueAll(plain)),
    );
    await gaps(`${synchronous}: lease + acknowledge`, () => drain(queue));
    const hot = plain.map((payload) => ({ payload, key: "hot" }));
    await queue.enqueueAll(hot);
    const held = await queue.lease({ limit: 1 });
    await gaps(`${synchronous}: passing ${count} of a key others have`, async () => {
      for (let look = 0; look < count / 1_000 + 1; look += 1) await other.lease();
    });
    await gaps(`${synchronous}: counts`, async () => void (await queue.counts()));
    await queue.acknowledge(held);
    await gaps(`${synchronous}: lease + acknowledge, one hot key`, () => drain(queue));
    await queue.close();
    await other.close();
  }
} finally {
  rmSync(folder, { recursive: true });
}
