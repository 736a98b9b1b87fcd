import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { loadPipelines } from "../src/load.ts";
import { fileWith } from "./support/file-with.ts";

const LOADED = "export const pipeline = { name: 'orders', start() {} };\n";

describe("loadPipelines", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("says after ten seconds that a file is still being loaded", async () => {
    const file = fileWith(LOADED, "pipeline.mjs");
    const said: string[] = [];
    const loading = loadPipelines(file, (words) => said.push(words));

    vi.advanceTimersByTime(9_999);
    expect(said).toEqual([]);
    vi.advanceTimersByTime(60_000);
    expect(said).toEqual([
      `${file} is still being loaded: it, or a file it imports, awaits something.`,
    ]);
    expect(await loading).toMatchObject([{ as: "pipeline" }]);
  });

  it("says nothing of a file that is loaded at once", async () => {
    const said: string[] = [];
    await loadPipelines(fileWith(LOADED, "pipeline.mjs"), (words) => said.push(words));
    vi.advanceTimersByTime(60_000);

    expect(said).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
