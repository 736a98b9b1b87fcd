import { describe, expect, it } from "vitest";

import { type Row, show, table, verdict } from "../src/table.ts";

const row = (ratio: number, bar: Row["bar"]): Row => ({
  workload: "no-op",
  westend: { value: 6_300_000, unit: "msg/s" },
  other: { name: "loops", figure: { value: 15_300_000, unit: "msg/s" } },
  ratio: { median: ratio, min: ratio - 0.01, max: ratio + 0.01 },
  bar,
});

describe("table", () => {
  it("names a workload once and aligns the columns", () => {
    const rows: Row[] = [
      row(0.41, { is: "at least", must: 0.25, aim: 0.5 }),
      { workload: "no-op", westend: { value: 6_300_000, unit: "msg/s" } },
      {
        workload: "gap",
        westend: { value: 21, unit: "ms" },
        bar: { is: "at most", must: 20 },
        node: "24.1.0",
      },
    ];
    expect(table(rows)).toBe(
      [
        "workload  Westend   against         ratio (min–max)   must      aim       met     Node",
        "--------  --------  --------------  ----------------  --------  --------  ------  ------",
        "no-op     6.30 M/s  loops 15.3 M/s  0.41 (0.40–0.42)  ≥ 0.25 ×  ≥ 0.50 ×  must",
        "          6.30 M/s",
        "gap       21 ms                                       ≤ 20 ms             MISSED  24.1.0",
      ].join("\n"),
    );
  });
});

describe("verdict", () => {
  const bar = { is: "at least", must: 0.25, aim: 0.5 } as const;

  it.each([
    [0.5, "aim"],
    [0.3, "must"],
    [0.24, "MISSED"],
  ])("judges a ratio of %d as %s", (ratio, expected) => {
    expect(verdict(row(ratio, bar))).toBe(expected);
  });

  it("judges Westend's own figure where there is no ratio", () => {
    const own: Row = {
      workload: "x",
      westend: { value: 4, unit: "ms" },
      bar: { is: "at most", must: 5, aim: 3 },
    };
    expect(verdict(own)).toBe("must");
  });

  it("counts what is not a number as missed", () => {
    expect(verdict(row(Number.NaN, bar))).toBe("MISSED");
  });

  it("says nothing where there is no bar", () => {
    expect(verdict(row(1, undefined))).toBe("");
  });
});

describe("show", () => {
  it.each([
    [{ value: 1234, unit: "msg/s" }, "1.23 k/s"],
    [{ value: 312.4, unit: "bytes" }, "312 B"],
    [{ value: 23_300_000, unit: "bytes" }, "23.3 MB"],
    [{ value: 1.534, unit: "µs" }, "1.53 µs"],
    [{ value: 0, unit: "" }, "0"],
  ] as const)("writes %o as %s", (figure, expected) => {
    expect(show(figure)).toBe(expected);
  });
});
