import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const guide = join(root, "docs/guide");
const pages = readdirSync(guide).filter((name) => name.endsWith(".md"));

/** The TypeScript of a page. A block that begins with a comment naming a file can be imported by that name. */
function programsOf(page: string): Map<string, string> {
  const programs = new Map<string, string>();
  const text = readFileSync(join(guide, page), "utf8");
  for (const [index, [, code = ""]] of [...text.matchAll(/^```ts\n(.*?)^```/gms)].entries()) {
    const name = /^\/\/ (\S+\.ts)\n/.exec(code)?.[1] ?? `${index}.ts`;
    programs.set(name, code);
  }
  return programs;
}

describe("the guide", () => {
  let folder: string;
  let said: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "westend-guide-"));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        extends: join(root, "tsconfig.test.base.json"),
        compilerOptions: { customConditions: [] },
      }),
    );
    for (const page of pages) {
      mkdirSync(join(folder, page));
      for (const [name, code] of programsOf(page)) writeFileSync(join(folder, page, name), code);
    }
    const tsc = join(root, "node_modules/.bin/tsc");
    const args = ["-p", folder, "--pretty", "false"];
    const shell = process.platform === "win32";
    said = spawnSync(tsc, args, { cwd: folder, encoding: "utf8", shell }).stdout;
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(pages)("compiles as it is shown: %s", (page) => {
    expect(said.split("\n").filter((line) => line.startsWith(`${page}/`))).toEqual([]);
  });

  it("has code to compile", () => {
    expect(pages.flatMap((page) => [...programsOf(page)])).not.toEqual([]);
  });
});
