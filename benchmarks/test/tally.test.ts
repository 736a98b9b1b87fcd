import { describe, expect, it } from "vitest";

import { Tally } from "../src/tally.ts";

const seen = (...numbers: number[]): Tally => {
  const tally = new Tally(3);
  for (const number of numbers) tally.see(number);
  return tally;
};

describe("Tally", () => {
  it("accepts each number once, in any order", () => {
    expect(() => seen(2, 0, 1).check("x")).not.toThrow();
  });

  it("finds what is missing", () => {
    expect(() => seen(0, 2).check("x")).toThrow("x: message 1 came 0 times");
  });

  it("finds what came twice", () => {
    expect(() => seen(0, 1, 2, 2).check("x")).toThrow("x: message 2 came 2 times");
  });

  it("finds what was never sent", () => {
    expect(() => seen(0, 1, 2, 3).check("x")).toThrow("x: 4 came of 3");
  });
});
