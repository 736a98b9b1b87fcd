import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Holder, PartitionOrder } from "../../src/topology/partition-order.ts";

class Item implements Holder {
  readonly name: string;
  readonly keys: ReadonlySet<string>;
  blockers = 0;

  constructor(name: string, ...keys: readonly string[]) {
    this.name = name;
    this.keys = new Set(keys);
  }
}

const names = (items: readonly Item[]): string[] => items.map(({ name }) => name);

describe("PartitionOrder", () => {
  it("lets through what shares no key", () => {
    const order = new PartitionOrder<Item>();
    expect(order.enter(new Item("a", "x"))).toBe(true);
    expect(order.enter(new Item("b", "y"))).toBe(true);
    expect(order.enter(new Item("c"))).toBe(true);
  });

  it("holds back what shares a key, and gives it back when the one before it leaves", () => {
    const order = new PartitionOrder<Item>();
    const [a, b, c] = [new Item("a", "x"), new Item("b", "x"), new Item("c", "x")] as const;
    expect([a, b, c].map((item) => order.enter(item))).toEqual([true, false, false]);
    expect(names(order.replace(a, []))).toEqual(["b"]);
    expect(names(order.replace(b, []))).toEqual(["c"]);
    expect(order.replace(c, [])).toEqual([]);
  });

  it("holds an item back until it is the first on the last of its keys", () => {
    const order = new PartitionOrder<Item>();
    const [x, y, both] = [
      new Item("x", "x"),
      new Item("y", "y"),
      new Item("both", "x", "y"),
    ] as const;
    for (const item of [x, y, both]) order.enter(item);
    expect(order.replace(x, [])).toEqual([]);
    expect(names(order.replace(y, []))).toEqual(["both"]);
  });

  it("puts parts in the place of the whole, before what waits behind it", () => {
    const order = new PartitionOrder<Item>();
    const [whole, behind] = [new Item("whole", "x"), new Item("behind", "x")] as const;
    order.enter(whole);
    order.enter(behind);
    const [first, second] = [new Item("first", "x"), new Item("second", "x")] as const;
    expect(names(order.replace(whole, [first, second]))).toEqual(["first"]);
    expect(names(order.replace(first, []))).toEqual(["second"]);
    expect(names(order.replace(second, []))).toEqual(["behind"]);
  });

  it("frees keys that no part holds", () => {
    const order = new PartitionOrder<Item>();
    const whole = new Item("whole", "x", "y");
    order.enter(whole);
    order.enter(new Item("behind", "y"));
    expect(new Set(names(order.replace(whole, [new Item("part", "x")])))).toEqual(
      new Set(["behind", "part"]),
    );
  });

  it("lets parts without a key go at once", () => {
    const order = new PartitionOrder<Item>();
    const whole = new Item("whole", "x");
    order.enter(whole);
    expect(names(order.replace(whole, [new Item("free"), new Item("held", "x")]))).toEqual([
      "free",
      "held",
    ]);
  });

  it("takes a number and a string for different keys, and NaN for one", () => {
    const order = new PartitionOrder<Holder>();
    const holder = (key: number | string): Holder => ({ keys: new Set([key]), blockers: 0 });
    const entered = [1, "1", NaN, NaN].map((key) => order.enter(holder(key)));
    expect(entered).toEqual([true, true, true, false]);
  });

  it("remembers no key that nobody holds", () => {
    const order = new PartitionOrder<Item>();
    const items = ["x", "y", "z"].map((key) => new Item(key, key, "all"));
    for (const item of items) order.enter(item);
    expect(order.keys).toBe(4);
    for (const item of items) order.replace(item, []);
    expect(order.keys).toBe(0);
  });
});

const KEYS = ["x", "y", "z"];

describe("PartitionOrder, whatever is done to it", () => {
  it("lets an item go exactly when nothing older holds one of its keys", () => {
    const step = fc.record({
      keys: fc.uniqueArray(fc.constantFrom(...KEYS), { maxLength: 3 }),
      split: fc.nat(),
      pick: fc.nat(),
      ends: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const order = new PartitionOrder<Item>();
        // The model: everything inside, oldest first, parts in the place of their whole.
        const inside: Item[] = [];
        const running = new Set<Item>();
        let made = 0;
        const mayRun = (item: Item): boolean =>
          inside
            .slice(0, inside.indexOf(item))
            .every((older) => [...older.keys].every((key) => !item.keys.has(key)));
        const check = (): void => {
          expect(new Set(inside.filter(mayRun))).toEqual(running);
          expect(order.keys).toBe(new Set(inside.flatMap(({ keys }) => [...keys])).size);
        };
        const end = (pick: number, parts: (item: Item) => Item[]): void => {
          const item = [...running][pick % Math.max(1, running.size)];
          if (item === undefined) return;
          running.delete(item);
          const made = parts(item);
          inside.splice(inside.indexOf(item), 1, ...made);
          for (const ready of order.replace(item, made)) {
            expect(running.has(ready)).toBe(false);
            running.add(ready);
          }
        };
        for (const { keys, split, pick, ends } of steps) {
          if (ends) {
            end(pick, (item) => {
              const subset = [...item.keys].filter((_, index) => (split >> index) & 1);
              const other = [...item.keys].filter((_, index) => (split >> (index + 3)) & 1);
              if (split % 3 === 0) return [];
              if (split % 3 === 1) return [new Item(`${made++}`, ...subset)];
              return [new Item(`${made++}`, ...subset), new Item(`${made++}`, ...other)];
            });
          } else {
            const item = new Item(`${made++}`, ...keys);
            inside.push(item);
            if (order.enter(item)) running.add(item);
          }
          check();
        }
        for (let rounds = 0; running.size > 0 && rounds < 1000; rounds++) end(0, () => []);
        expect(inside).toEqual([]);
        expect(order.keys).toBe(0);
      }),
    );
  });
});
