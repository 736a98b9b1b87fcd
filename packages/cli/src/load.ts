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

/**
 * Imports the file and gives the pipelines it exports: each by itself, in arrays, or as the default.
 * @throws Refusal if there is no such file, it cannot be loaded or never ends loading, or it exports none
 */
export async function loadPipelines(path: string): Promise<readonly Startable[]> {
  const file = resolve(path);
  requireFile(path, file);
  const exported = await Promise.race([importOf(path, file), stuck(path)]);
  const found = new Set(Object.values(exported).flatMap(itemsOf).filter(isStartable));
  if (found.size === 0) throw new Refusal(noPipeline(path, exported));
  return [...found];
}

/** @throws Refusal if a name is not among the pipelines */
export function selectPipelines(
  pipelines: readonly Startable[],
  only: readonly string[],
): readonly Startable[] {
  if (only.length === 0) return pipelines;
  const unknown = only.filter((name) => !pipelines.some((pipeline) => pipeline.name === name));
  if (unknown.length > 0) {
    const names = pipelines.map(({ name }) => name).join(", ");
    throw new Refusal(`no pipeline is called ${unknown.join(", ")}. There are: ${names}`);
  }
  return pipelines.filter(({ name }) => only.includes(name));
}

async function importOf(path: string, file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (error) {
    throw new Refusal(explainLoadError(path, file, error), { cause: error });
  }
}

/** Rejects once nothing is left that the process could wait for: whatever the file awaits never comes. Without it Node ends with 13. */
function stuck(path: string): Promise<never> {
  return new Promise((_, reject) => {
    process.once("beforeExit", () => {
      const waits = `${path} never ends loading: it, or a file it imports, awaits what cannot come any more.`;
      reject(
        new Refusal(
          `${waits}\nLook for an await outside of functions whose promise nobody settles.`,
        ),
      );
    });
  });
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

/** What is in an array, or the value itself. */
function itemsOf(value: unknown): readonly unknown[] {
  return unlessThrows(() => (Array.isArray(value) ? [...(value as unknown[])] : [value]), []);
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

function noPipeline(path: string, exported: object): string {
  const names = Object.keys(exported).join(", ");
  return [
    `${path} exports no pipeline; its exports: ${names === "" ? "none" : names}.`,
    "Export what definePipeline gives: export const pipeline = definePipeline({ … });",
  ].join("\n");
}
