import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { rename } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { tryLock, unlock } from "../lock.ts";
import { until } from "../wait.ts";

const run = promisify(execFile);

const POM = join(import.meta.dirname, "pom.xml");

/** Fetching 43 MB may take a while, and others may be fetching before us. Milliseconds. */
const LONGEST_FETCH = 300_000;

/** Where the broker's jars are once they have been fetched; another `pom.xml` is another folder. */
export function jarFolder(): string {
  const cache =
    process.env["WESTEND_CACHE"] ??
    join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "westend");
  const hash = createHash("sha256").update(readFileSync(POM)).digest("hex").slice(0, 8);
  return join(cache, `kafka-${kafkaVersion()}-${hash}`);
}

/** As `pom.xml` names it. */
export function kafkaVersion(): string {
  const pom = readFileSync(POM, "utf8");
  const version = /<artifactId>kafka_2\.13<\/artifactId>\s*<version>([^<]+)</.exec(pom)?.[1];
  return version ?? "unknown";
}

/** The folder of the broker's jars; Maven fetches them the first time. Any number of processes may ask at once. */
export async function fetchJars(): Promise<string> {
  const folder = jarFolder();
  if (existsSync(folder)) return folder;
  mkdirSync(join(folder, ".."), { recursive: true });

  const lock = `${folder}.lock`;
  await until(`${lock} is free`, () => existsSync(folder) || tryLock(lock), {
    timeout: LONGEST_FETCH,
  });
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  try {
    const goal = ["dependency:copy-dependencies", "-DincludeScope=runtime"];
    const args = ["-B", "-q", "-C", "-f", POM, ...goal, `-DoutputDirectory=${unfinished}`];
    await run("mvn", args, { timeout: LONGEST_FETCH });
    await rename(unfinished, folder);
    return folder;
  } catch (cause) {
    throw new Error(`Maven could not fetch Kafka's jars to ${folder}`, { cause });
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
    unlock(lock);
  }
}
