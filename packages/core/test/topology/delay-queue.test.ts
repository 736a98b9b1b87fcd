import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { DelayQueue } from "../../src/topology/delay-queue.ts";

function queue() {
  const clock = virtualClock();
  const woken: string[] = [];
  const made = new DelayQueue<string>(clock, (item) => woken.push(`${item}@${clock.now()}`));
  return { clock, woken, made };
}

describe("DelayQueue", () => {
  it("wakes each item at its moment, not before", async () => {
    const { clock, woken, made } = queue();
    made.add("late", 300);
    made.add("early", 100);
    await clock.advance(99);
    expect(woken).toEqual([]);
    await clock.advance(201);
    expect(woken).toEqual(["early@100", "late@300"]);
  });

  it("wakes items of one moment in order of arrival", async () => {
    const { clock, woken, made } = queue();
    for (const item of ["a", "b", "c", "d", "e"]) made.add(item, 10);
    await clock.advance(10);
    expect(woken).toEqual(["a@10", "b@10", "c@10", "d@10", "e@10"]);
  });

  it("needs one timer for any number of items, and none when it is empty", async () => {
    const { clock, made } = queue();
    for (let index = 0; index < 100; index++) made.add("item", 1000 - index);
    expect(clock.timers).toBe(1);
    await clock.advance(1000);
    expect([clock.timers, made.length]).toEqual([0, 0]);
  });

  it("wakes an item that waits for no time on a timer, never at once", async () => {
    const { clock, woken, made } = queue();
    made.add("now", 0);
    expect(woken).toEqual([]);
    await clock.advance(0);
    expect(woken).toEqual(["now@0"]);
  });

  it("takes in what is added while it wakes", async () => {
    const clock = virtualClock();
    const woken: number[] = [];
    const made = new DelayQueue<number>(clock, (item) => {
      woken.push(item);
      if (item < 5) made.add(item + 1, 10);
    });
    made.add(1, 10);
    await clock.advance(100);
    expect(woken).toEqual([1, 2, 3, 4, 5]);
  });

  it("wakes nothing of what was cleared, and gives it in order of its moment", async () => {
    const { clock, woken, made } = queue();
    made.add("second", 20);
    made.add("first", 10);
    expect(made.clear()).toEqual(["first", "second"]);
    await clock.advance(100);
    expect([woken, clock.timers, made.length]).toEqual([[], 0, 0]);
  });

  it("takes out what need not wait, and keeps the moments of the rest", async () => {
    const { clock, woken, made } = queue();
    made.add("keep 30", 30);
    made.add("drop 10", 10);
    made.add("keep 20", 20);
    expect(made.remove((item) => item.startsWith("drop"))).toEqual(["drop 10"]);
    await clock.advance(100);
    expect(woken).toEqual(["keep 20@20", "keep 30@30"]);
  });

  it("wakes any set of items in order of their moments", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 40 }),
        async (all) => {
          const { clock, woken, made } = queue();
          for (const [index, delay] of all.entries()) made.add(String(index), delay);
          await clock.advance(50);
          const expected = all
            .map((delay, index) => ({ delay, index }))
            .sort((a, b) => a.delay - b.delay || a.index - b.index)
            .map(({ delay, index }) => `${index}@${delay}`);
          expect(woken).toEqual(expected);
        },
      ),
      { numRuns: 20 },
    );
  });
});
