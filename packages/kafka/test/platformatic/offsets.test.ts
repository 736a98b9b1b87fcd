import { describe, expect, it } from "vitest";
import type { Connection } from "../../src/platformatic/library.ts";
import { committedOffsets, listedOffsets } from "../../src/platformatic/offsets.ts";
import type { Protocol } from "../../src/platformatic/protocol.ts";

const WHERE = [{ topic: "events", partition: 0 }];
const NOW = 1_000;

/** A topic of five older records, to which one is written between two questions. */
function oneComes() {
  let questions = 0;
  return {
    async listOffsets({ timestamp }: { readonly timestamp: bigint }) {
      const end = questions++ === 0 ? 5n : 6n;
      return new Map([["events", [timestamp === -1n ? end : -1n]]]);
    },
  };
}

describe("the offset that a moment stands for", () => {
  it("is not behind a record that comes while it is asked for", async () => {
    expect(await listedOffsets(oneComes(), WHERE, { timestamp: NOW })).toEqual([5]);
  });
});

/** What a group's coordinator answers. */
const answering = (topics: readonly object[]): Protocol =>
  ({ version: () => 8, ask: async () => ({ groups: [{ topics }] }) }) as unknown as Protocol;

const ask = (topics: readonly object[]) =>
  committedOffsets({} as Connection, answering(topics), "group", WHERE);

describe("what is committed", () => {
  it("is nothing where the broker says so", async () => {
    const partitions = [{ partitionIndex: 0, committedOffset: -1n, metadata: "" }];
    expect(await ask([{ name: "events", partitions }])).toMatchObject([{ offset: -1 }]);
  });

  it("is not known where the broker says nothing: it would begin elsewhere, and pass over what is not done", async () => {
    await expect(ask([])).rejects.toThrow("events-0");
    await expect(ask([{ name: "events", partitions: [] }])).rejects.toThrow("events-0");
  });
});

describe("where a partition begins or ends", () => {
  it("is not known where the broker says nothing", async () => {
    const silent = { listOffsets: async () => new Map<string, bigint[]>() };
    await expect(listedOffsets(silent, WHERE, "earliest")).rejects.toThrow("events-0");
    await expect(listedOffsets(silent, WHERE, "latest")).rejects.toThrow("events-0");
  });
});
