import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { play, scenarios } from "./support/simulation/scenario.ts";

/** Histories that are played. */
const RUNS = Number(process.env["WESTEND_PROPERTY_RUNS"] ?? 60);
/** Milliseconds they may take. */
const PATIENCE = Math.max(60_000, RUNS * 50);

beforeEach(() => {
  // Waits after a failure differ by chance; a history has to come out the same again.
  vi.spyOn(Math, "random").mockReturnValue(0.5);
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("a group whose members come, go and are killed, on brokers that fail, in random histories of up to 200 steps", () => {
  it(
    "commits nothing that has not ended, handles everything in the end and nothing that was known to be done, and keeps the order of keys",
    async () => {
      await fc.assert(
        fc.asyncProperty(scenarios, async (scenario) => {
          expect(await play(scenario)).toEqual([]);
        }),
        { numRuns: RUNS },
      );
    },
    PATIENCE,
  );
});
