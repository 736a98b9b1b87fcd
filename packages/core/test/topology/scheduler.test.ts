import { describe, expect, it } from "vitest";
import type { PartitionKey } from "../../src/message.ts";
import { type Schedulable, Scheduler } from "../../src/topology/scheduler.ts";

interface Item extends Schedulable<Item> {
  readonly name: string;
}

const item = (name: string, key?: PartitionKey): Item => ({ name, key, next: null });

function scheduler(...items: Item[]): Scheduler<Item> {
  const made = new Scheduler<Item>();
  for (const one of items) made.push(one);
  return made;
}

/** Names of all that can run now, taken out. */
function taken(from: Scheduler<Item>): string[] {
  const names: string[] = [];
  for (let one = from.next(); one !== undefined; one = from.next()) names.push(one.name);
  return names;
}

describe("Scheduler", () => {
  it("gives items without a key in order of arrival, all at once", () => {
    expect(taken(scheduler(item("a"), item("b"), item("c")))).toEqual(["a", "b", "c"]);
  });

  it("gives one item of a key at a time", () => {
    const first = item("first", "key");
    const second = item("second", "key");
    const made = scheduler(first, second, item("third", "key"));
    expect(taken(made)).toEqual(["first"]);
    made.done(first);
    expect(taken(made)).toEqual(["second"]);
    made.done(second);
    expect(taken(made)).toEqual(["third"]);
  });

  it("keeps keys independent of one another", () => {
    const made = scheduler(item("a1", "a"), item("a2", "a"), item("b1", "b"), item("none"));
    expect(taken(made)).toEqual(["a1", "b1", "none"]);
  });

  it("tells keys of different types apart", () => {
    const made = scheduler(item("string", "1"), item("number", 1), item("bigint", 1n));
    expect(taken(made)).toEqual(["string", "number", "bigint"]);
  });

  it("treats keys that Map takes for equal as equal", () => {
    const made = scheduler(item("nan", NaN), item("nan too", NaN), item("zero", 0), item("-0", -0));
    expect(taken(made)).toEqual(["nan", "zero"]);
  });

  it("holds the key of an item that runs again", () => {
    const first = item("first", "key");
    const made = scheduler(first, item("second", "key"));
    made.next();
    made.again(first);
    expect(taken(made)).toEqual(["first"]);
    made.done(first);
    expect(taken(made)).toEqual(["second"]);
  });

  it("counts what is ready, blocked, and how many keys are in use", () => {
    const first = item("first", "key");
    const made = scheduler(first, item("second", "key"), item("third", "key"), item("none"));
    expect([made.ready, made.blocked, made.keys]).toEqual([2, 2, 1]);
    made.next();
    made.done(first);
    expect([made.ready, made.blocked, made.keys]).toEqual([2, 1, 1]);
  });

  it("leaves the key alone when an item is done that never took its place", () => {
    const running = item("running", "key");
    const made = scheduler(running);
    made.next();
    made.done(item("stranger", "key"));
    made.push(item("behind", "key"));
    expect(taken(made)).toEqual([]);
  });

  it("frees the key once, however often an item is done", () => {
    const first = item("first", "key");
    const made = scheduler(first, item("second", "key"));
    made.next();
    made.done(first);
    made.next();
    made.done(first);
    made.push(item("third", "key"));
    expect(taken(made)).toEqual([]);
  });

  it("gives what came at once in its place among what came one by one", () => {
    const made = scheduler(item("first"));
    made.pushAll([item("a"), item("b")]);
    made.push(item("last"));
    expect(taken(made)).toEqual(["first", "a", "b", "last"]);
  });

  it("passes over what is gone of what came at once, and no longer counts it", () => {
    const made = new Scheduler<Item>();
    made.pushAll([undefined, item("a"), undefined, item("b"), undefined]);
    made.pushAll([undefined]);
    made.pushAll([]);
    made.push(item("last"));
    expect(taken(made)).toEqual(["a", "b", "last"]);
    expect(made.ready).toBe(0);
  });

  it("passes over any number of chunks that are gone without growing the stack", () => {
    const made = new Scheduler<Item>();
    for (let chunk = 0; chunk < 100_000; chunk++) made.pushAll([undefined]);
    made.push(item("last"));
    expect(taken(made)).toEqual(["last"]);
    expect(made.ready).toBe(0);
  });

  it("leaves nothing behind of a million keys", () => {
    const made = new Scheduler<Item>();
    for (let key = 0; key < 1_000_000; key++) {
      made.push(item("one", key));
      const one = made.next() as Item;
      made.done(one);
    }
    expect([made.ready, made.blocked, made.keys]).toEqual([0, 0, 0]);
  });

  it("leaves nothing behind of many keys in use at once", () => {
    const made = new Scheduler<Item>();
    for (let index = 0; index < 30_000; index++) made.push(item("one", index % 10_000));
    expect([made.keys, made.blocked]).toEqual([10_000, 20_000]);
    for (let one = made.next(); one !== undefined; one = made.next()) made.done(one);
    expect([made.ready, made.blocked, made.keys]).toEqual([0, 0, 0]);
  });
});
