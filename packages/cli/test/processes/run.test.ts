import { describe, expect, it } from "vitest";
import { Westend, westend } from "../support/westend.ts";

const lines = (text: string): string[] => text.trimEnd().split("\n");

describe("westend run", () => {
  it("ends with 0 and an account that adds up when the source has ended", async () => {
    const { code, stdout, stderr } = await westend("run", "finite.ts");

    expect(code).toBe(0);
    expect(lines(stdout).slice(1, 9)).toEqual([
      "  received      1,000",
      "  ───────────────────",
      "  succeeded       998",
      "  failed            1",
      "  dead-lettered     0",
      "  dropped           1",
      "  released          0",
      "  abandoned         0",
    ]);
    expect(stdout).toMatch(/^numbers {2}ended after [\d.]+ m?s$/m);
    expect(stdout).toContain("batches       10 (998 messages, 988 writes saved)");
    expect(stdout).toMatch(/throughput {4}[\d,.]+\/s/);
    expect(stdout).toMatch(/latency {7}p50 [\d.]+ ms, p99 [\d.]+ ms/);
    expect(stderr).toBe("started numbers\n");
  });

  it("runs every exported pipeline once, from arrays and the default export, too", async () => {
    const { code, stderr } = await westend("run", "several.ts");

    expect(code).toBe(0);
    expect(lines(stderr).sort()).toEqual(["started first", "started second", "started third"]);
  });

  it("runs only the pipelines named by --only", async () => {
    const { code, stderr } = await westend("run", "several.ts", "--only", "third", "--only=first");

    expect(code).toBe(0);
    expect(lines(stderr).sort()).toEqual(["started first", "started third"]);
  });

  it("runs what --only names although two others have the same name", async () => {
    const { code, stderr } = await westend("run", "namesakes.ts", "--only", "single");

    expect(code).toBe(0);
    expect(stderr).toBe("started single\n");
  });

  it("prints a summary a second for each pipeline to standard error", async () => {
    const command = new Westend(["run", "endless.ts"]);
    await command.says(
      /endless {2}in [\d.]+\/s {2}out [\d.]+\/s {2}in flight \d+\/100 {2}failed 0 {2}dead-lettered 0 {2}p99 [\d.]+ ms\n/,
      2,
    );
    command.signal("SIGTERM");
    const { stdout } = await command.finished;

    expect(stdout).not.toContain("in flight");
  });

  it("shows one line a second for each distinct error, without control characters", async () => {
    const command = new Westend(["run", "failing.ts"]);
    await command.says(
      /failing {2}\d+ × processor failed, handed back as failed: Error: even ticks fail here\n/,
    );
    await command.says(/failing {2}\d+ × .*: Error: odd ticks fail\n/);
    command.signal("SIGTERM");
    const { stdout, stderr } = await command.finished;

    expect(stdout).toMatch(/ {2}\d+ × .*: Error: even ticks fail here/);
    const [errors, summaries] = [/ × /g, / {2}in flight /g].map((each) => stderr.match(each));
    expect(errors?.length).toBeLessThanOrEqual(summaries?.length ?? 0);
  });

  it("drains the others and ends with 1 when a pipeline dies", async () => {
    const { code, stdout, stderr } = await westend("run", "dying.ts");

    expect(code).toBe(1);
    expect(stderr).toContain(
      "westend: dying died: Error: the disk is full\n  caused by TypeError: no space left\n",
    );
    expect(stdout).toMatch(/^dying {2}died after/m);
    expect(stdout).toMatch(/^healthy {2}drained after/m);
  });

  it("prints stacks of errors with --verbose only", async () => {
    const { stderr } = await westend("run", "dying.ts", "--only", "dying");
    const verbose = await westend("run", "dying.ts", "--only", "dying", "--verbose");

    expect(stderr).not.toMatch(/^ +at /m);
    expect(verbose.stderr).toMatch(/^ +at .*dying\.ts/m);
  });

  it("names the error with its code and its cause when a source cannot be opened", async () => {
    const { code, stderr, stdout } = await westend("run", "unreachable.ts");

    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toBe(
      [
        'westend: unreachable died: ProducerError [WESTEND_ERR_PRODUCER]: The producer "nowhere" could not be opened',
        "  caused by Error: connect ECONNREFUSED 127.0.0.1:9092\n",
      ].join("\n"),
    );
  });

  it("gives up with 1 and the account so far on an error that nobody caught", async () => {
    const { code, stdout, stderr } = await westend("run", "uncaught.ts");

    expect(code).toBe(1);
    expect(stderr).toContain("westend: uncaught error: Error: nobody catches this\n");
    expect(stdout).toMatch(/^uncaught {2}given up after/m);
  });

  it("prints the account only with --quiet", async () => {
    const { code, stdout, stderr } = await westend("run", "finite.ts", "--quiet");

    expect(code).toBe(0);
    expect(stdout).toMatch(/^numbers {2}ended/);
    expect(stderr).toBe("");
  });

  it("uses no colors where there is no terminal", async () => {
    const { stdout, stderr } = await westend("run", "dying.ts");

    expect(stdout + stderr).not.toContain("\u001b");
  });

  it("never prints payloads", async () => {
    const { stdout, stderr } = await westend("run", "dying.ts", "--verbose");

    expect(stdout + stderr).not.toContain("planted-secret");
  });
});
