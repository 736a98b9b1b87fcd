import { describe, expect, it } from "vitest";
import { Westend } from "../support/westend.ts";

describe("signals", () => {
  it.each(["SIGTERM", "SIGINT"] as const)(
    "%s drains and ends with 0, whatever the file keeps open",
    async (signal) => {
      const command = new Westend(["run", "endless.ts"]);
      await command.says("first tick");
      command.signal(signal);
      const { code, stdout, stderr } = await command.finished;

      expect(code).toBe(0);
      expect(stdout).toMatch(/^endless {2}drained after/m);
      expect(stderr).toContain(`${signal}: draining; a second signal gives up at once\n`);
      expect(stderr).toMatch(/endless {2}drains \d+ in flight, within 30 s\n/);
    },
  );

  it.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)("a second %s gives up with %i and the account so far", async (signal, expected) => {
    const command = new Westend(["run", "stuck.ts"]);
    await command.says("handling");
    command.signal("SIGTERM");
    await command.says(/p99 .* {2}draining\n/, 2);
    command.signal(signal);
    const { code, stdout } = await command.finished;

    expect(code).toBe(expected);
    expect(stdout).toMatch(/^stuck {2}given up after/m);
    expect(stdout).toMatch(/received {6}1\n[^]*in flight {5}1\n/);
  });

  it("takes two signals at once for one, as npm passes on what the terminal sends to all", async () => {
    const command = new Westend(["run", "stuck.ts", "--timeout", "500"]);
    await command.says("handling");
    command.signal("SIGINT");
    command.signal("SIGTERM");
    const { code } = await command.finished;

    expect(code).toBe(1);
  });

  it("ends with 0 when it comes before a source is open", async () => {
    const command = new Westend(["run", "opening.ts"]);
    await command.says("opening");
    command.signal("SIGTERM");
    const { code, stderr } = await command.finished;

    expect(code).toBe(0);
    expect(stderr).not.toContain("started");
  });

  it("abandons what is still running at the deadline of --timeout, and ends with 1", async () => {
    const command = new Westend(["run", "stuck.ts", "--timeout", "50"]);
    await command.says("handling");
    command.signal("SIGTERM");
    const { code, stdout, stderr } = await command.finished;

    expect(code).toBe(1);
    expect(stderr).toContain("stuck  drains 1 in flight, within 50 ms\n");
    expect(stdout).toMatch(/^stuck {2}drained in part after/m);
    expect(stdout).toMatch(/abandoned {5}1\n/);
  });
});
