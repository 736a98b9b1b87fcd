import { describe, expect, it } from "vitest";
import { murmur2, Partitioner } from "../src/partitioner.ts";

describe("the partitioner", () => {
  // From the tests of Java's client: a key must be in the same partition, whoever writes it.
  it.each([
    ["21", -973932308],
    ["foobar", -790332482],
    ["a-little-bit-long-string", -985981536],
    ["a-little-bit-longer-string", -1486304829],
    ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
    ["abc", 479470107],
  ])("hashes %s as Java does", (key, hash) => {
    expect(murmur2(Buffer.from(key))).toBe(hash);
  });

  it("takes the hash without its sign, modulo the partitions", () => {
    expect(new Partitioner().choose(Buffer.from("21"), 12)).toBe((-973932308 & 0x7fffffff) % 12);
  });

  it("gives what has no key one partition until its turn is over", () => {
    const partitioner = new Partitioner();
    const chosen = [0, 1, 2, 3].map(() => {
      const pair = [partitioner.choose(undefined, 3), partitioner.choose(undefined, 3)];
      partitioner.turn();
      return pair;
    });
    expect(chosen).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
      [0, 0],
    ]);
  });
});
