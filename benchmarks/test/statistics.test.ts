import { describe, expect, it } from "vitest";

import { median, pairedRatio, percentile, slope } from "../src/statistics.ts";

describe("statistics", () => {
  it("takes the middle, or between the two middles", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });

  it("takes the value that a share does not exceed", () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentile(values, 0.5)).toBe(50);
    expect(percentile(values, 0.99)).toBe(99);
    expect(percentile([7], 0.99)).toBe(7);
  });

  it("divides round by round", () => {
    expect(pairedRatio([2, 30, 4], [1, 10, 8])).toEqual({ median: 2, min: 0.5, max: 3 });
  });

  it("fits a line through what lies on one", () => {
    const points = [0, 1, 2, 5].map((x) => ({ x, y: 3 * x + 7 }));
    expect(slope(points)).toBeCloseTo(3);
  });
});
