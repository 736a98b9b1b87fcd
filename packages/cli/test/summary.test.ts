import { describe, expect, it } from "vitest";
import { summaryLine } from "../src/summary.ts";
import { statsWith } from "./support/stats.ts";

const lineOf = (stats: ReturnType<typeof statsWith>): string =>
  summaryLine({ pipeline: "orders", ending: "running", elapsed: 1000, stats });

describe("summaryLine", () => {
  it("says what comes in and goes out, what is in flight, what failed, and how long it took", () => {
    const stats = statsWith({
      rate: { received: 1204.2, settled: 1198 },
      inFlight: 42,
      failed: 1,
      deadLettered: 2,
      latency: { p50: 10, p90: 20, p99: 48, max: 50 },
    });

    expect(lineOf(stats)).toBe(
      "in 1,204/s  out 1,198/s  in flight 42/100  failed 1  dead-lettered 2  p99 48 ms",
    );
  });

  it("adds up what is left in all sources, if all of them know", () => {
    expect(lineOf(statsWith({}, 1000, 234))).toMatch(/ {2}remaining 1,234$/);
    expect(lineOf(statsWith({}, 1000, undefined))).not.toContain("remaining");
  });

  it("says so when the pipeline is not simply running", () => {
    expect(lineOf(statsWith({ status: "paused" }))).toMatch(/ {2}paused$/);
  });
});
