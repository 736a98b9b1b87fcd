import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const core = "packages/core/src";
const stage = `${core}/topology/batcher-stage.ts`;
const ledger = `${core}/topology/ledger.ts`;
const delivery = `${core}/topology/delivery.ts`;
const producer = `${core}/producers/memory.ts`;

const forbidden: [file: string, line: string][] = [
  [stage, `import { a } from "./processor-stage.ts";`],
  [stage, `import type { A } from "./processor-stage.ts";`],
  [stage, `export { a } from "./producer-stage.ts";`],
  [stage, `import type { A } from "./topology.ts";`],
  [stage, `import { a } from "./ledger.ts";`],
  [stage, `import { a } from "./account.ts";`],
  [stage, `import { a } from "./delivery.ts";`],
  [stage, `import { a } from "../pipeline.ts";`],
  [stage, `import { a } from "node:fs";`],
  [stage, `setTimeout(() => undefined, 1);`],
  [stage, `export const a = Date.now();`],
  [ledger, `import { a } from "../message.ts";`],
  [ledger, `import type { A } from "../clock.ts";`],
  [ledger, `import type { A } from "../telemetry.ts";`],
  [ledger, `import type { A } from "./producer-stage.ts";`],
  [delivery, `import { a } from "./ring.ts";`],
  [delivery, `import type { A } from "../clock.ts";`],
  [ledger, `import { a } from "node:util";`],
  [ledger, `import type { A } from "node:stream";`],
  [ledger, `export const a = performance.now();`],
  [producer, `import { a } from "../topology/scheduler.ts";`],
  [producer, `import type { A } from "../topology/topology.ts";`],
  [producer, `import { a } from "../clock.ts";`],
  [producer, `import { a } from "node:stream";`],
  [`${core}/message.ts`, `import { a } from "./errors.ts";`],
  [`${core}/message.ts`, `import { a } from "node:util";`],
  [`${core}/message.ts`, `import type { A } from "./topology/ledger.ts";`],
  [`${core}/connector/queue.ts`, `import { a } from "../errors.ts";`],
  [`${core}/connector/dead-letter-store.ts`, `import { a } from "../errors.ts";`],
  [`${core}/connector/dead-letter-store.ts`, `import type { A } from "../topology/ledger.ts";`],
  [`${core}/connector/bounded-json.ts`, `import { a } from "../topology/ledger.ts";`],
  [`${core}/connector/bounded-json.ts`, `import { a } from "../pipeline.ts";`],
  [`${core}/connector/index.ts`, `export { a } from "../index.ts";`],
  [`${core}/connector/index.ts`, `export { a } from "lodash";`],
  [`${core}/errors.ts`, `import type { A } from "./pipeline.ts";`],
  [`${core}/telemetry.ts`, `import { a } from "node:fs";`],
  [`${core}/telemetry.ts`, `import { a } from "./clock.ts";`],
  [`${core}/pipeline.ts`, `import { a } from "./topology/ledger.ts";`],
  [`${core}/pipeline.ts`, `import { a } from "./producers/memory.ts";`],
  [`${core}/running-pipeline.ts`, `import { a } from "./topology/ledger.ts";`],
  [`${core}/running-pipeline.ts`, `import { a } from "./producers/memory.ts";`],
  [`${core}/defaults.ts`, `import type { A } from "./topology/settings.ts";`],
  [`${core}/pipeline.ts`, `import { a } from "./testing/index.ts";`],
  [`${core}/pipeline.ts`, `import { a } from "./connector/index.ts";`],
  [`${core}/message.ts`, `import type { A } from "./connector/queue.ts";`],
  [`${core}/index.ts`, `export { a } from "./connector/bounded-json.ts";`],
  [`${core}/pipeline.ts`, `import { a } from "lodash";`],
  [`${core}/pipeline.ts`, `import { a } from "@scope/name";`],
  [`${core}/index.ts`, `export { a } from "./topology/ledger.ts";`],
  [`${core}/topology/topology.ts`, `import { a } from "../index.ts";`],
  [`${core}/testing/index.ts`, `import { a } from "vitest";`],
  ["packages/sqlite/src/producer.ts", `import { a } from "westend/testing";`],
  ["packages/sqlite/src/producer.ts", `import { a } from "../../core/src/index.ts";`],
  ["packages/sqlite/src/producer.ts", `import { a } from "westend/connector/index.js";`],
  ["packages/cli/src/bin.ts", `import { a } from "westend/dist/pipeline.js";`],
  ["packages/cli/src/bin.ts", `import { a } from "@westend/sqlite";`],
  ["packages/sqlite/test/producer.test.ts", `import { a } from "../../core/src/index.ts";`],
  ["packages/sqlite/test/producer.test.ts", `import { a } from "westend/dist/index.js";`],
  ["examples/01-first-pipeline/main.ts", `import { a } from "../../packages/core/src/index.ts";`],
  ["benchmarks/main.ts", `import { a } from "../packages/core/src/index.ts";`],
  ["benchmarks/main.ts", `import { a } from "westend/dist/index.js";`],
];

const allowed: [file: string, line: string][] = [
  [stage, `import { a } from "../errors.ts";`],
  [stage, `import { a } from "../telemetry.ts";`],
  [stage, `import { a } from "./scheduler.ts";`],
  [stage, `import type { A } from "./ledger.ts";`],
  [stage, `import type { A } from "../options.ts";`],
  [ledger, `import type { A } from "../message.ts";`],
  [ledger, `import { a } from "./account.ts";`],
  [ledger, `import * as A from "./route-state.ts";`],
  [delivery, `import type { A } from "../message.ts";`],
  [producer, `import { a } from "../errors.ts";`],
  [producer, `import type { A } from "node:stream";`],
  [`${core}/message.ts`, `import type { A } from "./batch.ts";`],
  [`${core}/connector/dead-letter-store.ts`, `import type { A } from "./queue.ts";`],
  [`${core}/connector/index.ts`, `export { a } from "../options.ts";`],
  [`${core}/connector/bounded-json.ts`, `import type { A } from "../failure.ts";`],
  [`${core}/producer.ts`, `import type { A } from "./clock.ts";`],
  [`${core}/telemetry.ts`, `import { a } from "node:diagnostics_channel";`],
  [`${core}/pipeline.ts`, `import { a } from "./topology/topology.ts";`],
  [`${core}/running-pipeline.ts`, `import { a } from "./topology/topology.ts";`],
  [`${core}/defaults.ts`, `import type { A } from "./topology/topology.ts";`],
  [`${core}/index.ts`, `export { a } from "./pipeline.ts";`],
  [`${core}/testing/index.ts`, `import { a } from "../pipeline.ts";`],
  [`${core}/topology/topology.ts`, `import { a } from "./batcher-stage.ts";`],
  ["packages/sqlite/src/producer.ts", `import { a } from "westend";`],
  ["packages/sqlite/src/producer.ts", `import { a } from "westend/connector";`],
  ["packages/sqlite/test/producer.test.ts", `import { a } from "westend/connector";`],
  ["packages/sqlite/test/producer.test.ts", `import { a } from "westend/testing";`],
];

const RULES = new Set([
  "eslint(no-restricted-imports)",
  "eslint(no-restricted-globals)",
  "import(no-cycle)",
]);

type Case = [file: string, content: string];

/** What the repository's import rules object to in each case: one run of oxlint, one folder a case. */
function objections(cases: Case[][]): string[][] {
  const folder = mkdtempSync(join(tmpdir(), "westend-import-rules-"));
  try {
    cases.forEach((files, index) => {
      for (const [file, content] of files) {
        const path = join(folder, String(index), file);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, content);
      }
      copyFileSync(join(root, ".oxlintrc.json"), join(folder, String(index), ".oxlintrc.json"));
    });
    const oxlint = join(root, "node_modules/oxlint/bin/oxlint");
    const { stdout } = spawnSync(process.execPath, [oxlint, "--format", "json", "."], {
      cwd: folder,
      encoding: "utf8",
    });
    const report = JSON.parse(stdout) as { diagnostics: { code: string; filename: string }[] };
    const found = report.diagnostics.filter(({ code }) => RULES.has(code));
    return cases.map((_, index) =>
      found.filter(({ filename }) => filename.startsWith(`${index}/`)).map(({ code }) => code),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const cycle: Case[] = [
  [`${core}/a.ts`, `import { b } from "./b.ts";\nexport const a = () => b();\n`],
  [`${core}/b.ts`, `import { a } from "./a.ts";\nexport const b = () => a();\n`],
];

describe("import rules", () => {
  const found = objections([...[...forbidden, ...allowed].map((files) => [files]), cycle]);

  forbidden.forEach(([file, line], index) => {
    it(`${file} may not: ${line}`, () => {
      expect(found[index]).not.toEqual([]);
    });
  });

  allowed.forEach(([file, line], index) => {
    it(`${file} may: ${line}`, () => {
      expect(found[forbidden.length + index]).toEqual([]);
    });
  });

  it("no cycles", () => {
    expect(found.at(-1)).toContain("import(no-cycle)");
  });
});
