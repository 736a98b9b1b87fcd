import { afterEach, describe, expect, it, vi } from "vitest";

import { libraries } from "../rivals/all.ts";
import { Broadway } from "../rivals/broadway.ts";
import { loops } from "../rivals/loops.ts";
import { comparison } from "../src/compare.ts";
import type { Row } from "../src/workload.ts";
import { LOOPS_TO_BROADWAY, plainJob } from "../workloads/throughput.ts";

const bar = { is: "at least", must: 1 } as const;
const {
  parts = [],
  run,
  arrange,
} = comparison("plain", {
  title: "plain",
  limits: { most: 2000 },
  bars: { loops: bar, broadway: { ...bar, loops: LOOPS_TO_BROADWAY.plain }, fastestLibrary: bar },
  job: plainJob("async"),
});

const row = (name: string, value: number): Row => ({
  workload: "plain",
  westend: { value: 1, unit: "msg/s" },
  other: { name, figure: { value, unit: "msg/s" } },
});

describe("comparison", () => {
  afterEach(() => vi.unstubAllEnvs());

  it("has a part for everybody", () => {
    expect(parts).toEqual([loops.name, ...libraries.map(({ name }) => name), "Broadway"]);
  });

  it("compares Westend with the one of its part, and with nobody else", async () => {
    const { rows, raw } = await run({ quick: true, cpu: false, real: false }, "fastq");
    expect(rows.map(({ other }) => other?.name)).toEqual(["fastq"]);
    expect(Object.keys(raw as object)).toEqual(["westend", "fastq"]);
  });

  it("shows the loops, Broadway, then the libraries by speed, and has the bar for the fastest of these", () => {
    const rows = new Map(parts.map((name, index) => [name, [row(name, index)]]));
    const arranged = arrange?.(rows) ?? [];
    const [first, second, ...others] = arranged.map(({ other }) => other?.name);
    expect([first, second]).toEqual([loops.name, "Broadway"]);
    expect(others).toEqual(libraries.map(({ name }) => name).toReversed());
    expect(arranged.map((one) => one.bar?.must)).toEqual([
      1,
      1,
      1,
      ...others.slice(1).map(() => undefined),
    ]);
  });

  it("takes Broadway's figure from the loops where there is no Elixir", async () => {
    vi.stubEnv("PATH", "");
    expect(await Broadway.start()).toBeUndefined();
    const { rows } = await run({ quick: true, cpu: false, real: false }, "Broadway");
    expect(rows[0]?.other?.name).toBe("Broadway (hand-written loops ÷ 19)");
  });
});
