import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeOffsetMap, encodeOffsetMap, type Range } from "../src/offset-map.ts";

const WHERE = { topic: "events", partition: 3 };
const PREFIX = "westend1:";
/** Texts that are made and damaged, in each of the tests that do. */
const ENCODINGS = Number(process.env["WESTEND_PROPERTY_RUNS"] ?? 2000);
/** Milliseconds they may take. */
const PATIENCE = Math.max(60_000, ENCODINGS);

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

/** The same, but small: many of them are damaged. */
const small = fc
  .record({
    base: fc.nat(2 ** 40),
    leaderEpoch: fc.integer({ min: -1, max: 1000 }),
    first: fc.nat(3),
    lengths: fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 9 })), {
      minLength: 1,
      maxLength: 30,
    }),
  })
  .map(({ base, leaderEpoch, first, lengths }) => {
    // The first may begin right at the commit.
    let end = base + first - 1;
    const done = lengths.map(([gap, length]): Range => {
      const from = end + gap;
      end = from + length;
      return [from, end];
    });
    return { base, leaderEpoch, done };
  });

const covers = (done: readonly Range[], offset: number): boolean =>
  done.some(([from, to]) => from <= offset && offset < to);

/** Damage to a text, or to the bytes that it stands for. */
const damages = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("bit" as const), at: fc.nat(), by: fc.nat(7) }),
    fc.record({ kind: fc.constant("byte" as const), at: fc.nat(), by: fc.nat(255) }),
    fc.record({ kind: fc.constant("cut" as const), at: fc.nat(), by: fc.nat(40) }),
    fc.record({ kind: fc.constant("twice" as const), at: fc.nat(), by: fc.nat(40) }),
  ),
  { minLength: 1, maxLength: 4 },
);
type Damage = (typeof damages extends fc.Arbitrary<infer All> ? All : never)[number];

function damaged(text: string, all: readonly Damage[]): string {
  let bytes = Buffer.from(text.slice(PREFIX.length), "base64");
  for (const { kind, at, by } of all) {
    const place = at % Math.max(1, bytes.length);
    if (kind === "bit") bytes[place] = (bytes[place] ?? 0) ^ (1 << by);
    else if (kind === "byte") bytes[place] = by;
    else if (kind === "cut")
      bytes = Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + by)]);
    else bytes = Buffer.concat([bytes.subarray(0, place + by), bytes.subarray(place)]);
  }
  return PREFIX + bytes.toString("base64");
}

/** Gives a damaged text the checksum it would have: only somebody who means harm writes one. */
function sealed(text: string): string {
  const bytes = Buffer.from(text.slice(PREFIX.length), "base64");
  if (bytes.length < 5) return text;
  bytes.writeUInt32BE(crc32(bytes.subarray(5), crc32(`${WHERE.partition} ${WHERE.topic}`)), 1);
  return PREFIX + bytes.toString("base64");
}

describe("the map of what is done beyond a commit", () => {
  it(
    "tells of nothing that was not done, however its text was damaged",
    () => {
      fc.assert(
        fc.property(small, damages, fc.integer({ min: 30, max: 400 }), (map, all, room) => {
          const text = encodeOffsetMap(WHERE, map, room);
          const read = decodeOffsetMap(WHERE, map.base, damaged(text, all));
          for (const [from, to] of read?.done ?? []) {
            for (let offset = from; offset < to; offset++) {
              expect(covers(map.done, offset)).toBe(true);
            }
          }
        }),
        { numRuns: ENCODINGS },
      );
    },
    PATIENCE,
  );

  it(
    "has ranges in order behind its commit, or none, even if its checksum is right",
    () => {
      fc.assert(
        fc.property(small, damages, (map, all) => {
          const text = sealed(damaged(encodeOffsetMap(WHERE, map, 400), all));
          const read = decodeOffsetMap(WHERE, map.base, text);
          let end = map.base - 1;
          for (const [from, to] of read?.done ?? []) {
            expect(from > end && to > from && Number.isSafeInteger(to)).toBe(true);
            end = to;
          }
        }),
        { numRuns: ENCODINGS },
      );
    },
    PATIENCE,
  );

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
