import { createRecordsBatch } from "@platformatic/kafka";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KafkaRecord } from "../src/client.ts";
import { RecordReader, type RecordsOptions } from "../src/record-batch.ts";

const LIMITS = { maxMessageBytes: 2 ** 20, maxHeaders: 100, maxBatchBytes: 2 ** 24 };
const codecs = {
  snappy: (): Buffer => Buffer.alloc(0),
  lz4: (): Buffer => Buffer.alloc(0),
};

/** A batch as a broker stores it, at an offset. */
function batch(
  offset: number,
  values: readonly string[],
  compression: "none" | "gzip" = "none",
): Buffer {
  const messages = values.map((value, index) => ({
    topic: "events",
    partition: 0,
    key: Buffer.from(`k${index}`),
    value: Buffer.from(value),
    headers: new Map(index % 2 === 0 ? [] : [[Buffer.from("h"), Buffer.from("v")]]),
    timestamp: BigInt(1.7e12 + index * 1e9),
  }));
  const bytes = Buffer.from(createRecordsBatch(messages as never, { compression }).buffer);
  bytes.writeBigInt64BE(BigInt(offset));
  return bytes;
}

function read(
  data: Buffer,
  options: Partial<RecordsOptions> = {},
): { records: KafkaRecord[]; end: number } {
  const reader = new RecordReader({ data, from: 0, aborted: [], codecs, ...LIMITS, ...options });
  const records: KafkaRecord[] = [];
  for (let record = reader.next(); record !== undefined; record = reader.next()) {
    records.push(record);
    if (records.length > 10_000) throw new Error("it never ends");
  }
  return { records, end: reader.end };
}

const values = fc.array(fc.string({ maxLength: 50 }), { minLength: 1, maxLength: 30 });
const logs = fc.array(
  fc.tuple(values, fc.constantFrom("none" as const, "gzip" as const), fc.nat(5)),
  {
    minLength: 1,
    maxLength: 5,
  },
);

/** Batches one behind the other, with gaps between them. */
function logOf(parts: readonly (readonly [string[], "none" | "gzip", number])[]): {
  data: Buffer;
  expected: { offset: number; value: string }[];
} {
  let offset = 0;
  const batches: Buffer[] = [];
  const expected: { offset: number; value: string }[] = [];
  for (const [texts, compression, gap] of parts) {
    offset += gap;
    batches.push(batch(offset, texts, compression));
    for (const value of texts) expected.push({ offset: offset++, value });
  }
  return { data: Buffer.concat(batches), expected };
}

const seen = (records: readonly KafkaRecord[]): { offset: number; value: string }[] =>
  records.map(({ offset, value }) => ({ offset, value: String(value) }));

describe("what a broker sends of a log", () => {
  it("is read record by record, as it was written", () => {
    fc.assert(
      fc.property(logs, (parts) => {
        const { data, expected } = logOf(parts);
        const { records, end } = read(data);
        expect(seen(records)).toEqual(expected);
        expect(end).toBe(expected.at(-1)!.offset + 1);
      }),
    );
  });

  it("has timestamps, keys and headers", () => {
    const { records } = read(batch(5, ["a", "b"]));
    expect(records).toMatchObject([
      { offset: 5, timestamp: 1.7e12, key: Buffer.from("k0"), headers: [] },
      { offset: 6, timestamp: 1.701e12, headers: [Buffer.from("h"), Buffer.from("v")] },
    ]);
  });

  it("is given from the offset on that was asked for", () => {
    fc.assert(
      fc.property(logs, fc.nat(40), (parts, from) => {
        const { data, expected } = logOf(parts);
        const { records } = read(data, { from });
        expect(seen(records)).toEqual(expected.filter(({ offset }) => offset >= from));
      }),
    );
  });

  it("ends before a batch that is cut off", () => {
    fc.assert(
      fc.property(logs, fc.nat(), (parts, cut) => {
        const { data, expected } = logOf(parts);
        const { records } = read(data.subarray(0, cut % data.length));
        expect(seen(records)).toEqual(expected.slice(0, records.length));
      }),
    );
  });

  it("gives a defect and throws nothing, wherever it is damaged", () => {
    fc.assert(
      fc.property(
        logs,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }),
        (parts, damage) => {
          const { data } = logOf(parts);
          for (const [place, byte] of damage) data[place % data.length] = byte;
          for (const { defect, value } of read(data).records) {
            expect(defect === undefined || value === null).toBe(true);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("that is no log at all is nothing, or a defect", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        expect(
          read(Buffer.from(bytes)).records.every(
            ({ value }) => value === null || value.length < 500,
          ),
        ).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it("is not decompressed beyond two hundred times its size", () => {
    const { records } = read(batch(0, ["x".repeat(2 ** 21)], "gzip"));
    expect(String(records[0]?.defect)).toMatch(/would take more than 1048576 bytes/);
  });

  it("goes on behind a message in the format of before 0.11, however small, which is a defect", () => {
    const old = Buffer.alloc(35);
    old.writeBigInt64BE(7n);
    old.writeInt32BE(old.length - 12, 8);
    // A checksum: no leader's epoch.
    old.writeInt32BE(0x7fffffff, 12);
    old.writeInt8(1, 16);
    const alone = read(old);
    expect(alone.end).toBe(8);
    expect(alone.records).toMatchObject([{ offset: 7, leaderEpoch: -1, value: null }]);
    expect(alone.records[0]?.defect).toBeInstanceOf(Error);
    expect(seen(read(Buffer.concat([old, batch(8, ["a"])])).records.slice(1))).toEqual([
      { offset: 8, value: "a" },
    ]);
  });

  it("goes on behind a batch that cannot be read, which is one defect for all of it", () => {
    const bad = batch(0, ["a", "b", "c"], "gzip");
    bad.fill(0xff, 61);
    const { records } = read(Buffer.concat([bad, batch(3, ["d"])]));
    expect(records).toMatchObject([
      { offset: 0, value: null },
      { offset: 3, defect: undefined },
    ]);
    expect(String(records[0]?.defect)).toMatch(
      /the batch of offsets 0 to 2 cannot be decompressed/,
    );
  });
});
