import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A file for one test, where the tools of this repository do not find it. */
export function fileWith(source: string, name: string = "pipeline.ts"): string {
  const folder = mkdtempSync(join(tmpdir(), "westend-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, name);
  writeFileSync(file, source);
  return file;
}
