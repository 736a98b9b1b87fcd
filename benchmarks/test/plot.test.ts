import { describe, expect, it } from "vitest";

import { plot } from "../src/plot.ts";

describe("plot", () => {
  const svg = plot({
    title: "a < b",
    x: { title: "seconds" },
    y: { title: "MB" },
    lines: [{ name: "heap", points: [0, 1, 2].map((x) => ({ x, y: x * 10 })) }],
  });

  it("draws a line from its first to its last point", () => {
    expect(svg).toContain('d="M80,350L345,195L610,40"');
  });

  it("names axes, ticks and lines", () => {
    for (const text of ["seconds", "MB", "heap", ">20<"]) expect(svg).toContain(text);
  });

  it("escapes text", () => {
    expect(svg).toContain("a &lt; b");
  });
});
