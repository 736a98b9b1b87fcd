import { describe, expect, it } from "vitest";
import { westend } from "../support/westend.ts";

describe("westend", () => {
  it("--help names commands and exit codes and gives examples", async () => {
    const { code, stdout, stderr } = await westend("--help");

    expect(code).toBe(0);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^Usage: westend \[options\] \[command\]\n/);
    expect(stdout).toContain("run [options] <file>");
    expect(stdout).toMatch(/Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 .*\n {2}130, 143 /);
    expect(stdout).toContain("$ westend run pipeline.ts");
  });

  it("run --help lists every option, the signals and the output", async () => {
    const { code, stdout } = await westend("run", "--help");

    expect(code).toBe(0);
    const options = stdout.match(/^ {2}(?:-\w, )?--[\w-]+/gm)?.map((option) => option.trim());
    expect(options).toEqual([
      "--only",
      "--timeout",
      "--check",
      "--json",
      "-q, --quiet",
      "--verbose",
      "--no-color",
      "-h, --help",
    ]);
    for (const word of ["SIGTERM", "NO_COLOR", "Exit codes:"]) expect(stdout).toContain(word);
  });

  it("--version prints the version of the package", async () => {
    const { code, stdout } = await westend("--version");

    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    [
      "an unknown option, and suggests the right one",
      ["run", "--onyl", "a", "finite.ts"],
      "--only",
    ],
    ["an unknown command", ["rnu", "finite.ts"], "Did you mean run?"],
    ["a missing file name", ["run"], "missing required argument 'file'"],
    ["a superfluous argument", ["run", "finite.ts", "none.ts"], "too many arguments"],
    ["a timeout that is no number", ["run", "finite.ts", "--timeout", "1s"], "whole milliseconds"],
    ["no command at all", [], "Usage: westend"],
  ])("refuses %s with 2", async (_, args, words) => {
    const { code, stdout, stderr } = await westend(...args);

    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain(words);
  });
});
