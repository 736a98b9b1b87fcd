import { describe, expect, it } from "vitest";
import { fileWith } from "../support/file-with.ts";
import { westend } from "../support/westend.ts";

/** What it says of a file whose own code throws; that may be over the next time, so the code is not that of a refusal. */
async function failure(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await westend("run", ...args);
  expect(code).toBe(1);
  expect(stdout).toBe("");
  return stderr;
}

describe("westend run ends with 1", () => {
  it("if the file throws while it is loaded, with the place", async () => {
    expect(await failure("throwing.ts")).toMatch(
      /^westend: throwing\.ts failed while it was loaded \(throwing\.ts:\d+:\d+\):\nRangeError: no database configured\n$/,
    );
  });

  it("if a server that the file asks is down", async () => {
    const file = fileWith(
      [
        'import { connect } from "node:net";',
        'import { once } from "node:events";',
        'await once(connect(1, "127.0.0.1"), "connect");',
        "",
      ].join("\n"),
    );

    expect(await failure(file)).toMatch(/\nError \[ECONNREFUSED\]: connect ECONNREFUSED .*\n$/);
  });

  it("if what a server said is not what the file expects, although that is called a SyntaxError", async () => {
    const file = fileWith('JSON.parse("<html>502 Bad Gateway</html>");\n');

    expect(await failure(file)).toMatch(/pipeline\.ts:1:6\):\nSyntaxError: Unexpected token/);
  });

  it("if the file throws what is no error", async () => {
    const file = fileWith('throw { password: "planted-secret" };\n');

    expect(await failure(file)).toMatch(/loaded:\nError: an object was thrown\n$/);
  });

  it("if a CommonJS file throws, with the place", async () => {
    const file = fileWith('throw new RangeError("no rights");\n', "pipeline (1).cjs");

    expect(await failure(file)).toMatch(/pipeline \(1\)\.cjs:1:7\):\nRangeError: no rights\n$/);
  });

  it("and prints the stack once with --verbose", async () => {
    const stderr = await failure("throwing.ts", "--verbose");

    expect(stderr.match(/RangeError: no database configured/g)).toHaveLength(1);
    expect(stderr).toMatch(/\n +at .*throwing\.ts:\d+/);
  });
});
