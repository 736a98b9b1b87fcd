import { statSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { RunningPipeline, StartOptions } from "westend";
import { explainLoadError } from "./load-error.ts";
import { Refusal } from "./refusal.ts";

/** The part of a pipeline that the command needs. Structural: the file may have a copy of westend of its own. */
export interface Startable {
  readonly name: string;
  start(options?: StartOptions): Promise<RunningPipeline>;
}

/** Milliseconds a file may take before it is said that it is being loaded. */
const PATIENCE = 10_000;

/** A pipeline, and what the file calls it: `orders`, `list[1]`. */
export interface Exported {
  readonly pipeline: Startable;
  readonly as: string;
}

/**
 * Imports the file and gives the pipelines it exports: each by itself, in arrays, or as the default.
 * @throws Refusal if there is no such file, it cannot be loaded or never ends loading, or it exports none;
 * LoadFailure if its own code throws
 */
export async function loadPipelines(
  path: string,
  say: (words: string) => void,
): Promise<readonly Exported[]> {
  const file = resolve(path);
  requireFile(path, file);
  const exported = await unlessStuck(path, importOf(path, file), say);
  const found = new Map<Startable, string>();
  for (const [name, value] of Object.entries(exported)) {
    for (const [as, item] of itemsOf(name, value)) {
      if (isStartable(item) && !found.has(item)) found.set(item, as);
    }
  }
  if (found.size === 0) throw new Refusal(noPipeline(path, exported));
  return [...found].map(([pipeline, as]) => ({ pipeline, as }));
}

/**
 * Those named by `--only`, or all.
 * @throws Refusal if a name is not among the pipelines, or two of those selected have the same
 */
export function selectPipelines(
  exported: readonly Exported[],
  only: readonly string[],
): readonly Startable[] {
  const names = exported.map(({ pipeline }) => pipeline.name);
  const unknown = only.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new Refusal(
      `no pipeline is called ${unknown.join(", ")}. There are: ${names.join(", ")}`,
    );
  }
  const selected = new Map<string, Exported>();
  for (const each of exported) {
    const { name } = each.pipeline;
    if (only.length > 0 && !only.includes(name)) continue;
    const other = selected.get(name);
    if (other !== undefined) throw new Refusal(sameName(name, other.as, each.as));
    selected.set(name, each);
  }
  return [...selected.values()].map(({ pipeline }) => pipeline);
}

async function importOf(path: string, file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (error) {
    throw explainLoadError(path, file, error);
  }
}

/**
 * What the file exports, but rejects once nothing is left that the process could wait for: whatever the file awaits never comes, and
 * Node would end with 13. While there is something, it may take its time; once that is long, it is said.
 */
async function unlessStuck<Loaded>(
  path: string,
  loading: Promise<Loaded>,
  say: (words: string) => void,
): Promise<Loaded> {
  const slow = setTimeout(
    () => say(`${path} is still being loaded: it, or a file it imports, awaits something.`),
    PATIENCE,
  );
  slow.unref();
  let empty = (): void => {};
  const stuck = new Promise<never>((_, reject) => {
    empty = (): void => reject(new Refusal(neverEnds(path)));
    process.once("beforeExit", empty);
  });
  try {
    return await Promise.race([loading, stuck]);
  } finally {
    clearTimeout(slow);
    process.off("beforeExit", empty);
  }
}

function requireFile(path: string, file: string): void {
  if (isFile(file)) return;
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Refusal(`${path} is a folder; give the file that exports the pipelines.`);
  }
  const extension = [".ts", ".mts", ".js", ".mjs"].find((end) => isFile(file + end));
  const hint = extension === undefined ? "" : ` Did you mean ${path}${extension}?`;
  throw new Refusal(`there is no file ${path}.${hint}`);
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** What is in an array, or the value itself; each with what the file calls it. */
function itemsOf(name: string, value: unknown): readonly (readonly [string, unknown])[] {
  return unlessThrows(
    () =>
      Array.isArray(value)
        ? Array.from(value, (item: unknown, index) => [`${name}[${index}]`, item] as const)
        : [[name, value] as const],
    [],
  );
}

function isStartable(value: unknown): value is Startable {
  return unlessThrows(
    () =>
      typeof value === "object" &&
      value !== null &&
      "name" in value &&
      typeof value.name === "string" &&
      "start" in value &&
      typeof value.start === "function",
    false,
  );
}

/** A file may export anything: proxies and getters that throw, for example. */
function unlessThrows<Seen>(look: () => Seen, otherwise: Seen): Seen {
  try {
    return look();
  } catch {
    return otherwise;
  }
}

function sameName(name: string, one: string, other: string): string {
  return [
    `two pipelines are called ${name}: the exports ${one} and ${other}.`,
    "Give each a name of its own: summaries, accounts, telemetry and --only tell them apart by it.",
  ].join("\n");
}

function neverEnds(path: string): string {
  return [
    `${path} never ends loading: it, or a file it imports, awaits what cannot come any more.`,
    "Look for an await outside of functions whose promise nobody settles.",
  ].join("\n");
}

function noPipeline(path: string, exported: object): string {
  const names = Object.keys(exported).join(", ");
  return [
    `${path} exports no pipeline; its exports: ${names === "" ? "none" : names}.`,
    "Export what definePipeline gives: export const pipeline = definePipeline({ … });",
  ].join("\n");
}
