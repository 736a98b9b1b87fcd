import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { sqliteQueue } from "@westend/sqlite";
import { file, meddle } from "../support/fixtures.ts";

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
});

interface Running {
  readonly child: ChildProcess;
  /** What it has said, line by line, once it has ended. */
  readonly lines: Promise<string[]>;
}

function run(script: string, ...args: string[]): Running {
  const path = fileURLToPath(new URL(`../fixtures/${script}.ts`, import.meta.url));
  const child = spawn(
    process.execPath,
    ["--conditions=@westend/source", "--disable-warning=ExperimentalWarning", path, ...args],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  children.add(child);
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const lines = once(child, "close").then(() => {
    children.delete(child);
    // The last line may be cut in two by a kill.
    return output
      .slice(0, output.lastIndexOf("\n") + 1)
      .split("\n")
      .filter(Boolean);
  });
  return { child, lines };
}

describe("several processes on one file", () => {
  it(
    "never hand out a message twice, nor a key to two of them at once",
    { timeout: 60_000 },
    async () => {
      const path = file();
      const count = 1_500;
      const queue = sqliteQueue({ path });
      await queue.enqueueAll(
        Array.from({ length: count }, (_, index) => ({
          payload: String(index),
          key: index % 3 === 0 ? `k${index % 7}` : undefined,
        })),
      );
      const running = ["3", "7", "20"].map((limit) => run("consumer", path, limit));
      const all = await Promise.all(running.map(({ lines }) => lines));
      const lines = all.flat();
      expect(lines.filter((line) => line.startsWith("lost"))).toEqual([]);
      const handled = lines.map((line) => line.split(" ").slice(1));
      expect(new Set(handled.map(([payload]) => payload)).size).toBe(count);
      expect(handled.length).toBe(count);
      expect(all.filter(({ length }) => length > 0).length).toBeGreaterThan(1);
      for (let key = 0; key < 7; key += 1) {
        const ofKey = handled
          .filter((each) => each[1] === `k${key}`)
          .map(([payload, , start, end]) => ({
            number: Number(payload),
            start: BigInt(start ?? 0),
            end: BigInt(end ?? 0),
          }))
          .toSorted((a, b) => a.number - b.number);
        expect(ofKey.length).toBeGreaterThan(10);
        for (const [index, { start, end }] of ofKey.entries()) {
          const next = ofKey[index + 1];
          // Those of one lease are handled together; later ones only when those are done.
          const inOrder = next === undefined || next.start === start || next.start >= end;
          expect(inOrder).toBe(true);
        }
      }
      expect(await queue.size()).toBe(0);
      await queue.close();
    },
  );

  it("lose nothing when they are killed at any instant", { timeout: 120_000 }, async () => {
    const path = file();
    const stored = new Set<string>();
    const acknowledging = new Set<string>();
    const acknowledged = new Set<string>();
    for (let cycle = 0; cycle < 12; cycle += 1) {
      const pair = [run("chaos", path, `${cycle}a`), run("chaos", path, `${cycle}b`)];
      for (const { child } of pair) {
        await once(child.stdout as NodeJS.ReadableStream, "data");
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 80));
        child.kill("SIGKILL");
      }
      for (const line of (await Promise.all(pair.map(({ lines }) => lines))).flat()) {
        const [what, ...ids] = line.split(" ");
        const set = { stored, acknowledging, acknowledged }[what as "stored"];
        for (const id of ids) set.add(id);
      }
      expect(meddle(path, "PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
    }
    const left = await drained(path);
    expect([...stored].filter((id) => !left.has(id) && !acknowledging.has(id))).toEqual([]);
    expect([...acknowledged].filter((id) => left.has(id))).toEqual([]);
    expect(stored.size).toBeGreaterThan(1_000);
    expect(acknowledged.size).toBeGreaterThan(500);
  });
});

/** Everything that is still in the queue, once the leases of the dead have run out. */
async function drained(path: string): Promise<Set<string>> {
  const queue = sqliteQueue({ path, linger: 0 });
  const left = new Set<string>();
  while ((await queue.size()) > 0) {
    const messages = await queue.lease();
    for (const { payload } of messages) left.add(payload as string);
    await queue.acknowledge(messages);
  }
  await queue.close();
  return left;
}
