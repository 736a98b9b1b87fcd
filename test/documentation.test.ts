import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");

/** Every page that shows users code. */
const pages = [
  "README.md",
  ...["connectors", "guide", "reference"].flatMap((folder) =>
    readdirSync(join(root, "docs", folder)).map((name) => `docs/${folder}/${name}`),
  ),
  ...readdirSync(join(root, "packages")).map((name) => `packages/${name}/README.md`),
].filter((page) => page.endsWith(".md") && existsSync(join(root, page)));

/**
 * The TypeScript of a page. A block that begins with a comment naming a file can be imported by that name. What an excerpt takes
 * for granted stands before it in a comment that readers do not see: `<!-- given`, code, `-->`.
 */
function programsOf(page: string): Map<string, string> {
  const programs = new Map<string, string>();
  const text = readFileSync(join(root, page), "utf8");
  const blocks = text.matchAll(/(?:^<!-- given\n((?:(?!-->).)*)-->\n\n)?^```ts\n(.*?)^```/gms);
  for (const [index, [, given = "", code = ""]] of [...blocks].entries()) {
    const unnamed = code.includes('from "vitest"') ? `${index}.test.ts` : `${index}.ts`;
    const name = /^\/\/ (\S+\.ts)\n/.exec(code)?.[1] ?? unnamed;
    programs.set(name, given + code);
  }
  return programs;
}

/** What the compiler says of names that are declared and never used. */
const UNUSED = /: error TS61(?:33|92|96|98):/;

const withCode = pages.filter((page) => programsOf(page).size > 0);
const withTests = withCode.filter((page) =>
  [...programsOf(page).keys()].some((name) => name.endsWith(".test.ts")),
);

describe("the documentation", () => {
  let folder: string;
  let said: string;

  /** What it says if it does not end with 0. */
  const complaintsOf = (command: string, ...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync(join(root, "node_modules/.bin", command), args, {
      cwd: folder,
      encoding: "utf8",
      shell: process.platform === "win32",
    });
    return status === 0 ? "" : stdout + stderr;
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "westend-documentation-"));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        extends: join(root, "tsconfig.test.base.json"),
        compilerOptions: { customConditions: [] },
      }),
    );
    for (const page of withCode) {
      for (const [name, code] of programsOf(page)) {
        const file = join(folder, page, name);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, `${code}\nexport {};\n`);
      }
    }
    said = complaintsOf("tsc", "-p", folder, "--pretty", "false");
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(withCode)("compiles as it is shown: %s", (page) => {
    const complaints = said.split("\n").filter((line) => line.startsWith(`${page}/`));
    // Pages outside of the guide show excerpts: what they define is used in the reader's program.
    const excerpts = !page.startsWith("docs/guide/");
    expect(complaints.filter((line) => !excerpts || !UNUSED.test(line))).toEqual([]);
  });

  it.each(withTests)("shows tests that pass: %s", (page) => {
    expect(complaintsOf("vitest", "run", "--root", join(folder, page))).toBe("");
  });

  it("has code on its pages, and tests", () => {
    expect(withCode.length).toBeGreaterThan(5);
    expect(withTests).toContain("README.md");
  });
});
