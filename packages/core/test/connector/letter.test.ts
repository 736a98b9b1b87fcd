import { describe, expect, it } from "vitest";
import type { DeadLetter } from "westend";
import { letterHead, payloadText, storedLetter } from "westend/connector";

const letter = (changes: Partial<DeadLetter> = {}): DeadLetter => ({
  pipeline: "orders",
  source: "kafka",
  payload: "payload",
  metadata: { offset: 7n },
  key: 5,
  reason: Object.assign(new TypeError("no good"), { code: "E_BAD", stack: undefined }),
  attempts: 3,
  batcher: undefined,
  receivedAt: 1.25,
  failedAt: 2.75,
  ...changes,
});

describe("what is kept of a letter", () => {
  it("is what was said about it, in types that a table holds", () => {
    expect(letterHead(letter())).toEqual({
      identity: null,
      key: "5",
      metadata: '{"offset":"7"}',
      pipeline: "orders",
      source: "kafka",
      batcher: null,
      error: { name: "TypeError", code: "E_BAD", message: "no good", stack: null },
      attempts: 3,
      receivedAt: 1.25,
      failedAt: 2.75,
    });
  });

  it.each([
    ["a NUL", "a\0b"],
    ["half of a surrogate pair", "\ud800"],
    ["more than 1024 characters", "k".repeat(1025)],
  ])("has no key that contains %s", (_, key) => {
    expect(letterHead(letter({ key })).key).toBeNull();
  });

  it("has the identity that the message has in its durable queue", () => {
    const metadata = { id: "file-7", queue: "jobs", enqueuedAt: 12 };
    expect(letterHead(letter({ metadata })).identity).toBe("file-7@12");
    expect(letterHead(letter({ metadata: { ...metadata, queue: 3 } })).identity).toBeNull();
    expect(letterHead(letter({ metadata: null })).identity).toBeNull();
  });

  it("has the identity that it is given, within its source", () => {
    expect(letterHead(letter(), () => "7").identity).toBe("kafka:7");
  });

  it.each([
    ["contains a NUL", "a\0", "b\0"],
    ["contains half of a surrogate pair", "\ud800", "\ud801"],
    ["is too long for an index", `${"x".repeat(5_000)}1`, `${"x".repeat(5_000)}2`],
  ])("has a hash for an identity that %s, each its own", (_, one, other) => {
    const identity = (given: string): unknown => letterHead(letter(), () => given).identity;
    expect(identity(one)).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(identity(one)).toBe(identity(one));
    expect(identity(one)).not.toBe(identity(other));
    const metadata = { id: one, queue: "jobs", enqueuedAt: 12 };
    expect(letterHead(letter({ metadata })).identity).toMatch(/^sha256:/);
  });
});

describe("a payload that is neither text nor bytes", () => {
  it.each<[string, unknown, string]>([
    ["an object", { a: [1] }, '{"a":[1]}'],
    ["null", null, "null"],
  ])("is kept whole as JSON: %s", (_, payload, text) => {
    expect(payloadText(payload)).toEqual({ text, whole: true });
  });

  it.each<[string, unknown, string]>([
    ["a bigint", { a: 1n }, "{ a: 1n }"],
    ["undefined", undefined, "undefined"],
  ])("is described for people where JSON cannot hold it: %s", (_, payload, text) => {
    expect(payloadText(payload)).toEqual({ text, whole: false });
  });
});

describe("a letter made of its row", () => {
  const row = {
    id: 1,
    key: null,
    metadata: '{"offset":7}',
    pipeline: "orders",
    source: "kafka",
    batcher: null,
    error_name: "TypeError",
    error_code: null,
    error_message: "no good",
    error_stack: null,
    attempts: 3,
    received_at: 1.25,
    failed_at: 2.75,
  };

  it("has undefined where the row has null, and whole milliseconds", () => {
    expect(storedLetter(row, "payload", true)).toEqual({
      id: 1,
      payload: "payload",
      intact: true,
      key: undefined,
      metadata: { offset: 7 },
      pipeline: "orders",
      source: "kafka",
      batcher: undefined,
      error: { name: "TypeError", code: undefined, message: "no good", stack: undefined },
      attempts: 3,
      receivedAt: 1,
      failedAt: 3,
    });
  });

  it("is shown even if its metadata is damaged", () => {
    expect(storedLetter({ ...row, metadata: "{" }, "payload", true).metadata).toBeUndefined();
  });
});
