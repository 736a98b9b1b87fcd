import { describe, expect, it } from "vitest";
import { calendarClock, file, queueOf } from "./support/fixtures.ts";

/** A consumer whose lease has run out, and another that has the messages now. */
async function takenOver(count = 3) {
  const clock = calendarClock();
  const path = file();
  const [zombie, heir] = [queueOf({ path, clock }), queueOf({ path, clock })];
  await zombie.enqueueAll(Array.from({ length: count }, (_, index) => `m${index}`));
  const old = await zombie.lease({ duration: 100 });
  clock.pass(100);
  return { clock, zombie, heir, old, fresh: await heir.lease({ limit: count - 1 }) };
}

describe("a lease that has run out", () => {
  it("cannot acknowledge what another consumer has by now, and is told so", async () => {
    const { zombie, heir, old, fresh } = await takenOver();
    const lost = await zombie.acknowledge(old);
    expect(lost.map(({ payload }) => payload)).toEqual(["m0", "m1"]);
    expect(await heir.counts()).toMatchObject({ leased: 2, ready: 0 });
    expect(await heir.acknowledge(fresh)).toEqual([]);
    expect(await heir.size()).toBe(0);
  });

  it("cannot release, prolong or fail what another consumer has by now", async () => {
    const { zombie, heir, old, fresh } = await takenOver();
    const gone = old.slice(0, 2);
    expect(await zombie.release(gone)).toEqual(gone);
    expect(await zombie.extend(gone, 10_000)).toEqual(gone);
    expect(await zombie.retry(gone, 10_000)).toEqual(gone);
    expect(await heir.acknowledge(fresh)).toEqual([]);
  });

  it("is still good while nobody else has the message", async () => {
    const { zombie, old } = await takenOver();
    expect(await zombie.acknowledge(old.slice(2))).toEqual([]);
  });

  it("cannot acknowledge what was released and leased again by the same consumer", async () => {
    const queue = queueOf();
    await queue.enqueue("a");
    const first = await queue.lease();
    await queue.release(first);
    const second = await queue.lease();
    expect(await queue.acknowledge(first)).toEqual(first);
    expect(await queue.acknowledge(second)).toEqual([]);
    expect(await queue.acknowledge(second)).toEqual(second);
  });

  it("spoils neither the acknowledgements that share its transaction nor those that are lost like it", async () => {
    const { zombie, old } = await takenOver(40);
    const groups = [old.slice(0, 13), old.slice(13, 26), old.slice(26, 39), old.slice(39)];
    const lost = await Promise.all(groups.map((group) => zombie.acknowledge(group)));
    expect(lost.map(({ length }) => length)).toEqual([13, 13, 13, 0]);
  });
});
