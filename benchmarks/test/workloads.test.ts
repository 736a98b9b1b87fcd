import { describe, expect, it } from "vitest";

import { workloads } from "../workloads/all.ts";
import { sampled, virtualCourse } from "../workloads/memory.ts";
import { readAhead } from "../workloads/read-ahead.ts";

describe("workloads", () => {
  it("have names of their own", () => {
    const names = workloads.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("memory", () => {
  it("gets all of an endless source to a slow sink, in order, and a sample for each moment", async () => {
    const { samples, messages } = await sampled(virtualCourse(6));
    expect(samples).toHaveLength(60);
    // A hundred each tenth of a second, and what was in flight at the end.
    expect(messages).toBeGreaterThanOrEqual(6000);
    expect(messages).toBeLessThan(7000);
  });
});

describe("read-ahead", () => {
  it("finds none", async () => {
    const { rows } = await readAhead.run({ quick: true, cpu: false, real: false });
    expect(rows[0]?.westend.value).toBe(0);
  });
});
