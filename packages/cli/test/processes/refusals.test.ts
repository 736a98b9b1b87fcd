import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { fileWith } from "../support/file-with.ts";
import { westend } from "../support/westend.ts";

function installTypeScript(folder: string): void {
  mkdirSync(join(folder, "node_modules"));
  const installed = join(import.meta.dirname, "../../../../node_modules/typescript");
  symlinkSync(installed, join(folder, "node_modules/typescript"), "junction");
}

async function refusal(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await westend("run", ...args);
  expect(code).toBe(2);
  expect(stdout).toBe("");
  return stderr;
}

describe("westend run refuses, with 2", () => {
  it("a file that is not there", async () => {
    expect(await refusal("missing.ts")).toBe("westend: there is no file missing.ts.\n");
  });

  it("a name without its extension, and says which was meant", async () => {
    expect(await refusal("finite")).toContain("Did you mean finite.ts?");
  });

  it("a folder", async () => {
    expect(await refusal(".")).toContain(". is a folder");
  });

  it("a file without a pipeline, and lists what it exports", async () => {
    expect(await refusal("none.ts")).toBe(
      [
        "westend: none.ts exports no pipeline; its exports: answer, settings.",
        "Export what definePipeline gives: export const pipeline = definePipeline({ … });\n",
      ].join("\n"),
    );
  });

  it("a file whose exports throw when they are looked at, and lists them", async () => {
    const file = fileWith(
      [
        'const get = () => { throw new Error("looked at"); };',
        "export const proxy = new Proxy({}, { get, has: get });",
        'export const getter = { get name() { throw new Error("looked at"); } };',
        "const { proxy: revoked, revoke } = Proxy.revocable([], {});",
        "revoke();",
        "export { revoked };",
        "",
      ].join("\n"),
    );

    expect(await refusal(file)).toContain("no pipeline; its exports: getter, proxy, revoked.\n");
  });

  it("an unknown name for --only, and lists the names", async () => {
    expect(await refusal("several.ts", "--only", "fourth")).toBe(
      "westend: no pipeline is called fourth. There are: first, second, third\n",
    );
  });

  it("two pipelines of one name, and says which exports they are", async () => {
    expect(await refusal("namesakes.ts")).toBe(
      [
        "westend: two pipelines are called twin: the exports first and list[1].",
        "Give each a name of its own: summaries, accounts, telemetry and --only tell them apart by it.\n",
      ].join("\n"),
    );
    expect(await refusal("namesakes.ts", "--only", "twin")).toContain("first and list[1]");
  });

  it("options that definePipeline refuses, in its words", async () => {
    expect(await refusal("misconfigured.ts")).toMatch(
      /^westend: definePipeline: 2 mistakes\n {2}processor\.concurrency: .* got -1\n {2}maxInFlight: .* got 0\n$/,
    );
  });

  it("a syntax error, with file, line and column and without a stack", async () => {
    const file = fileWith("export const first: number = 1;\n  export const second = = 2;\n");

    expect(await refusal(file)).toBe(
      [
        `westend: ${file}:2:25: Expression expected`,
        "",
        "  export const second = = 2;",
        "                        ^\n",
      ].join("\n"),
    );
  });

  it("a mistake that only the engine finds, with its place, too", async () => {
    const file = fileWith("const twice: number = 1;\nconst twice = 2;\n");

    expect(await refusal(file)).toContain(`${file}:2:7: Identifier 'twice' has already been`);
  });

  it("syntax that Node cannot strip, and says what to do", async () => {
    const file = fileWith("export enum Color {\n  Red,\n}\n");
    const stderr = await refusal(file);

    expect(stderr).toContain(`${file}:1:`);
    expect(stderr).toContain("TypeScript enum is not supported in strip-only mode");
    expect(stderr).toContain("--import tsx");
  });

  it("an import without what is asked of it", async () => {
    const file = fileWith('import { nothing } from "node:path";\n');

    expect(await refusal(file)).toContain("does not provide an export named 'nothing'");
  });

  it("a package that is not there", async () => {
    expect(await refusal(fileWith('import "not-installed";\n'))).toContain("'not-installed'");
  });

  it("an import that is not there", async () => {
    const file = fileWith('import "./missing.ts";\n');

    expect(await refusal(file)).toMatch(/Cannot find module '.*missing\.ts' imported from .*\n$/);
  });

  it("a file that never ends loading, and says what to look for", async () => {
    const file = fileWith("export {};\nawait new Promise(() => {});\n");

    expect(await refusal(file)).toBe(
      [
        `westend: ${file} never ends loading: it, or a file it imports, awaits what cannot come any more.`,
        "Look for an await outside of functions whose promise nobody settles.\n",
      ].join("\n"),
    );
  });

  it("type errors with --check, before anything runs", async () => {
    const file = fileWith('const wrong: string = 1;\nthrow new Error("it was loaded");\n');
    installTypeScript(dirname(file));
    const stderr = await refusal("--check", file);

    expect(stderr).toMatch(/has type errors:\n.*pipeline\.ts\(1,7\): error TS2322: Type 'number'/);
    expect(stderr).not.toContain("it was loaded");
  });

  it("type errors by the file's own tsconfig.json", async () => {
    const file = fileWith("export const list: string[] = [];\nlist[0].length;\n");
    installTypeScript(dirname(file));
    const compilerOptions = { strict: true, noUncheckedIndexedAccess: true, types: [] };
    const config = JSON.stringify({ compilerOptions, include: ["."] });
    writeFileSync(join(dirname(file), "tsconfig.json"), config);

    expect(await refusal("--check", file)).toContain("error TS2532: Object is possibly 'undef");
  });

  it("--check where there is no TypeScript", async () => {
    expect(await refusal("--check", fileWith(""))).toContain("npm install --save-dev typescript");
  });
});
