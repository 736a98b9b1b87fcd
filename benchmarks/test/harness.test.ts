import { describe, expect, it } from "vitest";

import { interleave } from "../src/harness.ts";

describe("interleave", () => {
  it("runs everybody in each round, and nobody always after the same one", async () => {
    const order: string[] = [];
    const contenders = ["a", "b", "c"].map((name) => ({
      name,
      async run() {
        order.push(name);
        return 1e6;
      },
    }));
    const settings = { quick: true, cpu: false, real: false };
    const rates = await interleave(contenders, settings, { most: 1000 });
    expect(order.slice(-6).join("")).toMatch(/abccba|cbaabc/);
    expect([...rates.values()].map((values) => values.length)).toEqual([5, 5, 5]);
    expect(rates.get("a")?.[0]).toBe(0.1 * 1);
  });
});
