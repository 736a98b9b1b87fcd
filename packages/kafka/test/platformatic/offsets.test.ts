import { describe, expect, it } from "vitest";
import { listedOffsets } from "../../src/platformatic/offsets.ts";

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
