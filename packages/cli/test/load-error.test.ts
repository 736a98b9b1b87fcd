import { describe, expect, it } from "vitest";
import { explainLoadError } from "../src/load-error.ts";

describe("explainLoadError", () => {
  it("names both ways out where Node does not run TypeScript", () => {
    const error = Object.assign(new TypeError('Unknown file extension ".ts" for /x.ts'), {
      code: "ERR_UNKNOWN_FILE_EXTENSION",
      stack: "TypeError: …\n    at defaultLoad (node:internal/modules/esm/load:141:22)",
    });
    const { message: text } = explainLoadError("x.ts", "/x.ts", error);

    expect(text).toContain(`Node ${process.versions.node} does not run TypeScript.`);
    expect(text).toContain("Use Node 24, or install tsx and run: NODE_OPTIONS='--import tsx'");
  });
});
