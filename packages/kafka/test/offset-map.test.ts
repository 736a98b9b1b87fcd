import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeOffsetMap, encodeOffsetMap, type Range } from "../src/offset-map.ts";

const WHERE = { topic: "events", partition: 3 };

/** Ranges behind a base, neither touching nor overlapping. */
const maps = fc
  .record({
    base: fc.nat(2 ** 40),
    leaderEpoch: fc.integer({ min: -1, max: 1000 }),
    lengths: fc.array(
      fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 300 })),
      {
        minLength: 1,
        maxLength: 400,
      },
    ),
  })
  .map(({ base, leaderEpoch, lengths }) => {
    let end = base;
    const done = lengths.map(([gap, length]): Range => {
      const from = end + gap;
      end = from + length;
      return [from, end];
    });
    return { base, leaderEpoch, done };
  });

const covers = (done: readonly Range[], offset: number): boolean =>
  done.some(([from, to]) => from <= offset && offset < to);

describe("the map of what is done beyond a commit", () => {
  it("comes back as it was written", () => {
    fc.assert(
      fc.property(maps, (map) => {
        const text = encodeOffsetMap(WHERE, map, 1_000_000);
        expect(decodeOffsetMap(WHERE, map.base, text)).toEqual(map);
      }),
    );
  });

  it("tells of the first ranges only, where there is no room for all", () => {
    fc.assert(
      fc.property(maps, fc.integer({ min: 0, max: 400 }), (map, room) => {
        const text = encodeOffsetMap(WHERE, map, room);
        expect(text.length).toBeLessThanOrEqual(room);
        const read = decodeOffsetMap(WHERE, map.base, text);
        if (text === "") return;
        for (const [from, to] of read!.done) {
          expect(covers(map.done, from) && covers(map.done, to - 1)).toBe(true);
        }
      }),
    );
  });

  it("tells of ten thousand messages in any order within 4096 characters", () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.boolean()), fc.nat(2 ** 40), (bits, base) => {
        const done: Range[] = [];
        for (let offset = base + 1; offset < base + 10_000; offset++) {
          if (bits.next().value !== true) continue;
          const last = done.at(-1);
          if (last?.[1] === offset) done[done.length - 1] = [last[0], offset + 1];
          else done.push([offset, offset + 1]);
        }
        if (done.length === 0) return;
        const map = { base, leaderEpoch: 7, done };
        expect(decodeOffsetMap(WHERE, base, encodeOffsetMap(WHERE, map, 4096))).toEqual(map);
      }),
      { numRuns: 20 },
    );
  });

  it("is ignored beside another commit, in another partition, and in another topic", () => {
    fc.assert(
      fc.property(maps, fc.integer({ min: 1, max: 1000 }), (map, shift) => {
        const text = encodeOffsetMap(WHERE, map, 1_000_000);
        expect(decodeOffsetMap(WHERE, map.base + shift, text)).toBeUndefined();
        expect(decodeOffsetMap({ ...WHERE, partition: 4 }, map.base, text)).toBeUndefined();
        expect(decodeOffsetMap({ ...WHERE, topic: "orders" }, map.base, text)).toBeUndefined();
      }),
    );
  });

  it("is ignored if one character of it is another", () => {
    fc.assert(
      fc.property(maps, fc.nat(), fc.integer({ min: 32, max: 126 }), (map, place, code) => {
        const text = encodeOffsetMap(WHERE, map, 1_000_000);
        const at = place % text.length;
        const other = text.slice(0, at) + String.fromCodePoint(code) + text.slice(at + 1);
        const read = decodeOffsetMap(WHERE, map.base, other);
        expect(read).toEqual(other === text ? map : undefined);
      }),
      { numRuns: 2000 },
    );
  });

  it("never throws, and takes nothing from texts of others", () => {
    const texts = fc.oneof(
      fc.string(),
      fc.uint8Array().map((bytes) => `westend1:${Buffer.from(bytes).toString("base64")}`),
      fc.base64String().map((coded) => `westend1:${coded}`),
    );
    fc.assert(
      fc.property(texts, fc.nat(), (text, base) => {
        expect(decodeOffsetMap(WHERE, base, text)).toBeUndefined();
      }),
      { numRuns: 5000 },
    );
  });
});
