import { describe, expect, it } from "vitest";
import { KafkaWriteError } from "../src/errors.ts";
import { encodeRecord, type NewKafkaRecord } from "../src/record.ts";

const text = (bytes: Buffer | undefined) => bytes?.toString();

describe("a record to be written", () => {
  it("has text as UTF-8, bytes as they are, and null as null", () => {
    const { key, value } = encodeRecord({ key: "ä", value: new Uint8Array([1, 2]) }, "events");
    expect(key).toEqual(Buffer.from("ä"));
    expect(value).toEqual(Buffer.from([1, 2]));
    const tombstone = encodeRecord({ value: null }, "events");
    expect([tombstone.key, tombstone.value]).toEqual([undefined, undefined]);
  });

  it("may name its topic; the sink's is for those that do not", () => {
    expect(encodeRecord({ value: "" }, "events").topic).toBe("events");
    expect(encodeRecord({ topic: "other", value: "" }, "events").topic).toBe("other");
  });

  it("has headers by name or in pairs, and keeps a name that comes twice", () => {
    const pairs = encodeRecord(
      {
        value: "",
        headers: [
          ["a", "1"],
          ["a", null],
        ],
      },
      "events",
    ).headers;
    expect([...pairs].map(([name, value]) => [text(name), text(value)])).toEqual([
      ["a", "1"],
      ["a", undefined],
    ]);
    const named = encodeRecord({ value: "", headers: { b: "2" } }, "events").headers;
    expect([...named].map(([name, value]) => [text(name), text(value)])).toEqual([["b", "2"]]);
  });

  it("knows its size to be no less than what it takes on the wire", () => {
    const { size } = encodeRecord({ key: "kk", value: "vvv", headers: { h: "x" } }, "events");
    expect(size).toBeGreaterThanOrEqual(2 + 3 + 1 + 1 + 9);
  });

  it.each<[string, unknown]>([
    ["topic", { value: "" }],
    ["value", { topic: "t" }],
    ["value", { topic: "t", value: { secret: "hunter2" } }],
    ["key", { topic: "t", value: "", key: 42 }],
    ["headers", { topic: "t", value: "", headers: { a: 1 } }],
    ["headers", { topic: "t", value: "", headers: [[1, "a"]] }],
    ["partition", { topic: "t", value: "", partition: -1 }],
    ["timestamp", { topic: "t", value: "", timestamp: new Date() }],
  ])("is refused for a wrong %s, which is not shown", (what, record) => {
    let error: unknown;
    try {
      encodeRecord(record as NewKafkaRecord, undefined);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(KafkaWriteError);
    expect(error).toMatchObject({ code: "KAFKA_REFUSED", retriable: false });
    expect((error as Error).message).toContain(`\`${what}\``);
    expect((error as Error).message).not.toContain("hunter2");
  });
});
