import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { commandLine, fixtures, plainEnvironment } from "../support/westend.ts";

/** Runs a command on a terminal of its own; a part of Linux. */
const SCRIPT = "script";
const hasScript = spawnSync(SCRIPT, ["--version"]).stdout?.includes("util-linux");

function onTerminal(env: Readonly<Record<string, string>>, ...args: string[]): string {
  const command = commandLine(args).map((word) => `'${word}'`);
  const { stdout } = spawnSync(
    SCRIPT,
    ["-qec", `stty cols 120; ${command.join(" ")}`, "/dev/null"],
    { cwd: fixtures, env: { ...plainEnvironment(), TERM: "xterm", ...env }, encoding: "utf8" },
  );
  return stdout;
}

describe.runIf(hasScript)("on a terminal", () => {
  it("draws a bar, prints what handlers print above it, and leaves the cursor visible", () => {
    const output = onTerminal({}, "run", "sized.ts");

    expect(output).toMatch(/sized █+░+ \d+% {2}\d+\/300 {2}\d+\/s {2}ETA \d+ s/);
    expect(output).toMatch(/100% {2}300\/300/);
    // oxlint-disable-next-line no-control-regex
    expect(output).toMatch(/\u001b\[2Khandled 250\u001b\[K\r\n/);
    expect(output.lastIndexOf("\u001b[?25h")).toBeGreaterThan(output.lastIndexOf("\u001b[?25l"));
    expect(output).toContain("\u001b[1msized\u001b[22m  ended after");
  });

  it.each([
    ["NO_COLOR", { NO_COLOR: "1" }, []],
    ["--no-color", {}, ["--no-color"]],
  ])("uses no colors with %s", (_, env, options) => {
    // oxlint-disable-next-line no-control-regex
    expect(onTerminal(env, "run", "finite.ts", ...options)).not.toMatch(/\u001b\[\d*m/);
  });
});
