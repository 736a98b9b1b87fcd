import { describe, expect, it } from "vitest";
import type { LeasedMessage } from "@westend/sqlite";
import { calendarClock, file, meddle, queueOf, watched } from "./support/fixtures.ts";

const payloads = (messages: readonly LeasedMessage[]): unknown[] =>
  messages.map(({ payload }) => payload);

/** Two queues on one file, as two processes have them. */
function pair(clock = calendarClock()) {
  const path = file();
  return { path, clock, a: queueOf({ path, clock }), b: queueOf({ path, clock }) };
}

const keyed = (key: string, ...texts: string[]) => texts.map((payload) => ({ payload, key }));

describe("order by key", () => {
  it("gives several messages of a key to one consumer, and none to others meanwhile", async () => {
    const { a, b } = pair();
    await a.enqueueAll([...keyed("k", "k1", "k2", "k3"), "free", ...keyed("l", "l1")]);
    const first = await a.lease({ limit: 2 });
    expect(payloads(first)).toEqual(["k1", "k2"]);
    expect(payloads(await b.lease())).toEqual(["free", "l1"]);
    await a.acknowledge(first);
    expect(payloads(await b.lease())).toEqual(["k3"]);
  });

  it("gives the consumer that has a key more of it", async () => {
    const { a } = pair();
    await a.enqueueAll(keyed("k", "k1", "k2"));
    expect(payloads(await a.lease({ limit: 1 }))).toEqual(["k1"]);
    expect(payloads(await a.lease({ limit: 1 }))).toEqual(["k2"]);
  });

  it("hands a failed message out before later ones of its key", async () => {
    const { a, b, clock } = pair();
    await a.enqueueAll([...keyed("k", "k1", "k2"), "free"]);
    await a.retry(await a.lease({ limit: 1 }), 1_000);
    expect(payloads(await b.lease())).toEqual(["free"]);
    expect(payloads(await a.lease())).toEqual([]);
    clock.pass(1_000);
    expect(payloads(await b.lease())).toEqual(["k1", "k2"]);
  });

  it("does not hold back what comes before a message that waits", async () => {
    const { a, b } = pair();
    await a.enqueueAll(keyed("k", "k1", "k2", "k3"));
    const [first, second] = await a.lease({ limit: 2 });
    await a.retry([second!], 1_000);
    await a.release([first!]);
    expect(payloads(await b.lease())).toEqual(["k1"]);
  });

  it("hands a released message out before later ones of its key", async () => {
    const { a, b } = pair();
    await a.enqueueAll(keyed("k", "k1", "k2", "k3"));
    const taken = await a.lease({ limit: 2 });
    expect(await b.lease()).toEqual([]);
    await a.release(taken);
    expect(payloads(await b.lease())).toEqual(["k1", "k2", "k3"]);
  });

  it("hands a message whose consumer died out before later ones of its key", async () => {
    const { a, b, clock } = pair();
    await a.enqueueAll(keyed("k", "k1", "k2", "k3"));
    await a.lease({ limit: 2, duration: 100 });
    expect(await b.lease()).toEqual([]);
    clock.pass(100);
    expect(payloads(await b.lease())).toEqual(["k1", "k2", "k3"]);
  });

  it("waits for all messages of a key that another consumer has, also when the first of them came back", async () => {
    const { a, b, clock } = pair();
    await a.enqueueAll(keyed("k", "k1", "k2"));
    await a.lease({ limit: 1, duration: 100 });
    const second = await a.lease({ limit: 1, duration: 1_000 });
    clock.pass(100);
    expect(await b.lease()).toEqual([]);
    await a.acknowledge(second);
    expect(payloads(await b.lease())).toEqual(["k1"]);
  });

  it("does not hold a key back for a message that was enqueued for later", async () => {
    const { a, clock } = pair();
    await a.enqueue("later", { key: "k", delay: 1_000 });
    await a.enqueue("now", { key: "k" });
    expect(payloads(await a.lease())).toEqual(["now"]);
    clock.pass(1_000);
    expect(payloads(await a.lease())).toEqual(["later"]);
  });

  it("reaches what is behind thousands of messages of a key that another consumer has", async () => {
    const { a, b } = pair();
    await a.enqueueAll(keyed("hot", ...Array.from({ length: 2_500 }, (_, index) => `h${index}`)));
    await a.enqueue("free");
    const held = await a.lease({ limit: 1 });
    const found: unknown[] = [];
    for (let look = 0; look < 4; look += 1) found.push(...payloads(await b.lease()));
    expect(found).toEqual(["free"]);
    await a.acknowledge(held);
    expect(payloads(await b.lease({ limit: 3 }))).toEqual(["h1", "h2", "h3"]);
  });

  it("hands out all of a key in order when two consumers take turns", async () => {
    const { a, b } = pair();
    const texts = Array.from({ length: 950 }, (_, index) => `h${index}`);
    await a.enqueueAll(keyed("hot", ...texts));
    const order: unknown[] = [];
    for (let turn = 0; order.length < texts.length && turn < 200; turn += 1) {
      const [one, two] = turn % 2 === 0 ? [a, b] : [b, a];
      const mine = await one.lease({ limit: 1 + (turn % 40) });
      expect(await two.lease()).toEqual([]);
      order.push(...payloads(mine));
      await one.acknowledge(mine);
    }
    expect(order).toEqual(texts);
  });

  it("looks at the ready messages by an index, whatever it asks", async () => {
    const plans = new Set<string>();
    const path = file();
    await queueOf({ path }).enqueue("a", { key: "k" });
    const asked: string[] = [];
    const queue = queueOf({ client: watched((sql) => void asked.push(sql), path) });
    const other = queueOf({ path });
    await other.enqueueAll(keyed("k", "b", "c"));
    await other.lease({ limit: 1 });
    await queue.release(await queue.lease());
    await queue.acknowledge(await queue.lease());
    await queue.counts();
    for (const sql of new Set(asked)) {
      if (!/westend_message/.test(sql) || sql.startsWith("INSERT")) continue;
      const values = "?".repeat((sql.match(/\?/g) ?? []).length);
      const plan = meddle(path, `EXPLAIN QUERY PLAN ${sql.replaceAll("?", "1")}`);
      for (const { detail } of plan as { detail: string }[])
        plans.add(`${detail} ${values && ""}`.trim());
    }
    expect([...plans].filter((detail) => detail.startsWith("SCAN westend_message"))).toEqual([]);
    expect([...plans].join("\n")).not.toMatch(/TEMP B-TREE/);
  });
});
