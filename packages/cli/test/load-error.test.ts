import { describe, expect, it } from "vitest";
import { explainLoadError } from "../src/load-error.ts";
import { LoadFailure, Refusal } from "../src/refusal.ts";

describe("explainLoadError", () => {
  it("takes what tsx says of syntax for a refusal", () => {
    const error = Object.assign(new Error("Transform failed"), { name: "TransformError" });

    expect(explainLoadError("x.ts", "/x.ts", error)).toBeInstanceOf(Refusal);
    expect(explainLoadError("x.ts", "/x.ts", new Error("no"))).toBeInstanceOf(LoadFailure);
  });

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
