import { spawnSync } from "node:child_process";
import { existsSync, renameSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { sqliteQueue } from "@westend/sqlite";

import { flights, spoil } from "./flights.ts";

const { values: flags } = parseArgs({
  options: {
    redrive: { type: "boolean", default: false },
    reset: { type: "boolean", default: false },
  },
});

const path = process.env["EVENTS_DB"] ?? "events.db";
const events = await flights();

if (flags.reset) remove(path);
if (!existsSync(path)) await seed();
if (flags.redrive) await redrive();
const status = run();
if (status === 0) await account();
process.exitCode = status;

/** Fills the queue once: a file that was not finished has another name, and is begun again. */
async function seed(): Promise<void> {
  const unfinished = `${path}.unfinished`;
  remove(unfinished);
  const queue = sqliteQueue({ path: unfinished });
  await queue.enqueueAll(spoil(events));
  await queue.close();
  const database = new DatabaseSync(unfinished);
  database.exec(`CREATE TABLE events (
    id TEXT PRIMARY KEY, departedAt INTEGER NOT NULL, delay INTEGER NOT NULL,
    distance INTEGER NOT NULL, origin TEXT NOT NULL, destination TEXT NOT NULL)`);
  database.close();
  renameSync(unfinished, path);
  console.log(`Enqueued ${count(events.length)} flight events in ${path}.`);
}

/** Puts the dead letters back into the queue, mended. */
async function redrive(): Promise<void> {
  const queue = sqliteQueue({ path });
  const { redriven } = await queue.deadLetters.redrive({
    by: "npm run demo -- --redrive",
    // Here the original is at hand; in real life this is where a payload is repaired.
    edit: (letter) => events[placeOf(letter.metadata)],
  });
  await queue.close();
  console.log(`Put ${count(redriven)} dead letters back into the queue, mended.`);
}

/** The command a user would type: `westend run pipeline.ts`. */
function run(): number {
  const command = fileURLToPath(import.meta.resolve("@westend/cli/package.json"));
  const bin = command.replace(/package\.json$/, "dist/bin.js");
  const pipeline = fileURLToPath(import.meta.resolve("./pipeline.ts"));
  const options = { stdio: "inherit", env: { ...process.env, EVENTS_DB: path } } as const;
  return spawnSync(process.execPath, [bin, "run", pipeline], options).status ?? 1;
}

/** Reads from the file what is really there. */
async function account(): Promise<void> {
  const database = new DatabaseSync(path, { readOnly: true });
  const rows = database.prepare("SELECT count(*) AS rows, count(DISTINCT id) AS ids FROM events");
  const { rows: stored = 0, ids = 0 } = rows.get() as Record<string, number>;
  database.close();
  const queue = sqliteQueue({ path });
  const letters = await queue.deadLetters.list();
  const left = await queue.size();
  await queue.close();
  console.log(`\nRead back from ${path}:`);
  console.log(`  ${count(stored)} rows in the table events, ${count(ids)} different ids`);
  console.log(`  ${count(left)} messages left in the queue`);
  console.log(`  ${count(letters.length)} dead letters`);
  for (const { metadata, error } of letters) {
    const number = placeOf(metadata) + 1;
    console.log(`    event ${count(number).padStart(6)}: ${error.message.split("\n")[0]}`);
  }
  const complete = stored === ids && stored + letters.length === events.length && left === 0;
  console.log(complete ? "  Nothing is missing, nothing is there twice." : "  THIS IS NOT RIGHT.");
  if (!complete) process.exitCode = 1;
  if (letters.length > 0) console.log("\nBring them back: npm run demo -- --redrive");
  else console.log("\nStart over: npm run demo -- --reset");
}

/** Ids of a queue end in the place of enqueueing. */
function placeOf(metadata: unknown): number {
  const { id = "" } = metadata as { readonly id?: string };
  return Number(id.slice(id.lastIndexOf("-") + 1)) - 1;
}

function remove(file: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
}

function count(number: number): string {
  return number.toLocaleString("en");
}
