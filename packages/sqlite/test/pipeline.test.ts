import { describe, expect, it } from "vitest";
import { constant, definePipeline, retry, text } from "westend";
import { batchInsert, sqlite, sqliteDeadLetter } from "@westend/sqlite";
import { file, meddle, queueOf } from "./support/fixtures.ts";

describe("a pipeline on a queue", () => {
  it("handles every message once, in batches, and leaves the queue empty", async () => {
    const path = file();
    const queue = queueOf({ path, linger: 5 });
    await queue.enqueueAll(Array.from({ length: 1_000 }, (_, index) => String(index)));
    meddle(path, "CREATE TABLE handled (id INTEGER PRIMARY KEY)");
    const handled = batchInsert<{ id: number }>(path, { table: "handled" });
    const pipeline = definePipeline({
      name: "numbers",
      producer: sqlite({ queue, finite: true }),
      decoder: text(),
      processor: { concurrency: 4, handle: (message) => message.to("rows", Number(message.data)) },
      batchers: {
        rows: {
          size: 100,
          timeout: 50,
          async handle(messages) {
            await handled.insert(messages.map((message) => ({ id: message.data })));
          },
        },
      },
    });
    const running = await pipeline.start();
    expect(await running.done).toMatchObject({ received: 1_000, succeeded: 1_000, failed: 0 });
    expect(meddle(path, "SELECT count(*) AS count FROM handled")).toEqual([{ count: 1_000 }]);
    expect(await queue.size()).toBe(0);
    await handled.close();
  });

  it("takes what is enqueued while it runs, and keeps a key in order over failures", async () => {
    const queue = queueOf({ linger: 5 });
    const seen: string[] = [];
    const failed = new Set<string>();
    const pipeline = definePipeline({
      name: "keys",
      producer: sqlite({ queue, idle: 60_000 }),
      decoder: text(),
      processor: {
        concurrency: 8,
        retry: retry({ attempts: 3, backoff: constant(1) }),
        handle(message) {
          if (message.data.endsWith("5") && !failed.has(message.data)) {
            failed.add(message.data);
            throw new Error("the first time");
          }
          seen.push(message.data);
        },
      },
    });
    const running = await pipeline.start();
    const texts = Array.from({ length: 200 }, (_, index) => `k${index % 4}-${index}`);
    await Promise.all(texts.map((each) => queue.enqueue(each, { key: each.split("-")[0] })));
    await expect.poll(() => queue.size(), { timeout: 10_000 }).toBe(0);
    await running.stop();
    for (const key of ["k0", "k1", "k2", "k3"]) {
      const ofKey = (all: string[]): string[] => all.filter((each) => each.startsWith(`${key}-`));
      expect(ofKey(seen)).toEqual(ofKey(texts));
    }
  });

  it("gives back what it has taken when it is stopped, as if it had never been touched", async () => {
    const queue = queueOf({ linger: 5 });
    await queue.enqueueAll(Array.from({ length: 50 }, (_, index) => String(index)));
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const pipeline = definePipeline({
      name: "stopped",
      producer: sqlite({ queue }),
      processor: { concurrency: 1, handle: () => gate },
    });
    const running = await pipeline.start();
    await expect.poll(async () => (await queue.counts()).leased).toBeGreaterThan(1);
    const stopped = running.stop();
    release();
    const report = await stopped;
    const { ready, leased } = await queue.counts();
    expect({ leased, left: ready + report.succeeded }).toEqual({ leased: 0, left: 50 });
    expect((await queue.lease({ limit: 1 }))[0]?.attempt).toBe(1);
  });

  it("makes a dead letter of a message that killed its process too often", async () => {
    const queue = queueOf({ linger: 0 });
    await queue.enqueue("killer");
    for (let death = 0; death < 2; death += 1) {
      await queue.lease({ duration: 1 });
      await expect.poll(async () => (await queue.counts()).ready).toBe(1);
    }
    let handled = 0;
    const pipeline = definePipeline({
      name: "killers",
      producer: sqlite({ queue, finite: true }),
      decoder: text(),
      processor: {
        retry: retry({ attempts: 2, backoff: constant(1) }),
        handle: () => void (handled += 1),
      },
      deadLetter: sqliteDeadLetter({ queue }),
    });
    const running = await pipeline.start();
    expect(await running.done).toMatchObject({ deadLettered: 1 });
    expect(handled).toBe(0);
    expect(await queue.deadLetters.list()).toMatchObject([
      { payload: "killer", pipeline: "killers", source: "sqlite" },
    ]);
    expect(await queue.counts()).toEqual({ ready: 0, leased: 0, delayed: 0, dead: 1 });
  });
});
