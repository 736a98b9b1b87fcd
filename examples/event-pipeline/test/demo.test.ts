import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

const demo = fileURLToPath(new URL("../demo.ts", import.meta.url));
const KILLS = 10;
const SPOILED = 8;
const EVENTS = 20_000;

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "westend-demo-"));
  path = join(folder, "events.db");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** In a group of its own, so that all of it can be killed as one. */
function start(...flags: string[]): { child: ChildProcess; ended: Promise<Ending> } {
  const env = { ...process.env, EVENTS_DB: path };
  const child = spawn(process.execPath, [demo, ...flags], { env, detached: true });
  let output = "";
  child.stdout?.on("data", (chunk) => (output += String(chunk)));
  child.stderr?.on("data", (chunk) => (output += String(chunk)));
  const ended = new Promise<Ending>((resolve) => {
    child.on("close", (code) => resolve({ code, output }));
  });
  return { child, ended };
}

interface Ending {
  readonly code: number | null;
  readonly output: string;
}

/** What is really in the file. */
function contents(): { rows: number; ids: number; letters: number; identities: number } {
  const database = new DatabaseSync(path, { readOnly: true });
  const found = database
    .prepare(
      `SELECT (SELECT count(*) FROM events) AS rows, (SELECT count(DISTINCT id) FROM events) AS ids,
       (SELECT count(*) FROM westend_dead_letter) AS letters,
       (SELECT count(DISTINCT identity) FROM westend_dead_letter) AS identities`,
    )
    .get();
  database.close();
  return { ...(found as ReturnType<typeof contents>) };
}

describe("npm run demo", () => {
  it("writes every good event once and every spoiled one to the dead letters, and brings those back mended", async () => {
    const first = await start().ended;
    expect(first).toMatchObject({ code: 0 });
    expect(contents()).toEqual({
      rows: EVENTS - SPOILED,
      ids: EVENTS - SPOILED,
      letters: SPOILED,
      identities: SPOILED,
    });
    const second = await start("--redrive").ended;
    expect(second).toMatchObject({ code: 0 });
    expect(contents()).toEqual({ rows: EVENTS, ids: EVENTS, letters: 0, identities: 0 });
  }, 120_000);

  it(`has everything exactly once after ${KILLS} kill -9 at random moments`, async () => {
    for (let kill = 0; kill < KILLS; kill++) {
      const { child, ended } = start();
      const timer = setTimeout(
        () => process.kill(-(child.pid as number), "SIGKILL"),
        100 + Math.random() * 1200,
      );
      await ended;
      clearTimeout(timer);
    }
    const { code, output } = await start().ended;
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(contents()).toEqual({
      rows: EVENTS - SPOILED,
      ids: EVENTS - SPOILED,
      letters: SPOILED,
      identities: SPOILED,
    });
  }, 180_000);
});
