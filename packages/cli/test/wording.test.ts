import { describe, expect, it } from "vitest";
import { count, duration, plural, rate } from "../src/wording.ts";

describe("wording", () => {
  it.each([
    [0, "0 ms"],
    [0.42, "0.4 ms"],
    [9.96, "10 ms"],
    [999.7, "1 s"],
    [12_340, "12.3 s"],
    [59_999, "1 min 0 s"],
    [200_000, "3 min 20 s"],
    [7_500_000, "2 h 5 min"],
  ])("gives %d milliseconds as %s", (milliseconds, expected) => {
    expect(duration(milliseconds)).toBe(expected);
  });

  it("groups digits, gives slow rates a decimal, and knows the plural", () => {
    expect(count(1_234_567)).toBe("1,234,567");
    expect([rate(1204.4), rate(0.25)]).toEqual(["1,204/s", "0.3/s"]);
    expect([plural(1, "write"), plural(2, "write")]).toEqual(["1 write", "2 writes"]);
  });
});
