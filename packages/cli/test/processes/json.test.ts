import { describe, expect, it } from "vitest";
import { type Finished, Westend, westend } from "../support/westend.ts";

type Line = Record<string, unknown> & { readonly type: string; readonly time: string };

const linesOf = ({ stdout }: Finished): Line[] =>
  stdout
    .trimEnd()
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Line);

describe("westend run --json", () => {
  it("writes one object a line: the start, failures, summaries, the drain and the account", async () => {
    const command = new Westend(["run", "failing.ts", "--json"]);
    await command.says(/"type":"summary"/);
    command.signal("SIGTERM");
    const finished = await command.finished;
    const lines = linesOf(finished);

    expect(finished.code).toBe(0);
    expect(finished.stderr).toBe("");
    expect([...new Set(lines.map(({ type }) => type))]).toEqual([
      "started",
      "failure",
      "summary",
      "signal",
      "draining",
      "account",
    ]);
    expect(lines[1]).toMatchObject({ pipeline: "failing", count: expect.any(Number) });
    expect(lines[1]?.["first"]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(lines[4]).toMatchObject({ pipeline: "failing", deadline: 30_000 });
  });

  it("gives an account whose parts add up", async () => {
    const account = linesOf(await westend("run", "finite.ts", "--json")).at(-1);

    expect(account).toMatchObject({
      type: "account",
      pipeline: "numbers",
      ending: "ended",
      received: 1000,
      succeeded: 998,
      failed: 1,
      deadLettered: 0,
      dropped: 1,
      released: 0,
      abandoned: 0,
      batching: { batches: 10, messages: 998, writesSaved: 988 },
      failures: [{ count: 1, error: "Error: seven is not allowed here" }],
    });
  });

  it("tells what a pipeline died of", async () => {
    const lines = linesOf(await westend("run", "unreachable.ts", "--json"));

    expect(lines).toMatchObject([
      {
        type: "died",
        pipeline: "unreachable",
        errors: [{ name: "ProducerError", code: "WESTEND_ERR_PRODUCER" }, { name: "Error" }],
      },
    ]);
  });

  it("writes accounts only with --quiet", async () => {
    const lines = linesOf(await westend("run", "several.ts", "--json", "--quiet"));

    expect(lines.map(({ type }) => type)).toEqual(["account", "account", "account"]);
  });
});
