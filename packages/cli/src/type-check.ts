import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { Refusal } from "./refusal.ts";

/** What a file without a tsconfig.json is checked with: what Node runs, and strictly. */
const DEFAULTS =
  "--strict --module nodenext --target esnext --allowImportingTsExtensions --skipLibCheck".split(
    " ",
  );

/**
 * Checks the types of a file with the TypeScript of its project, by the nearest tsconfig.json if the file belongs to it.
 * @throws Refusal with the compiler's words, or if there is no TypeScript
 */
export function checkTypes(path: string): void {
  const file = resolve(path);
  if (!existsSync(file)) return;
  const { tsc, major } = compilerOf(path, file);
  const config = nearestConfig(dirname(file));
  const project = config === undefined ? undefined : ["--project", config];
  const belongs =
    project !== undefined && listsFile(run(tsc, [...project, "--noEmit", "--listFilesOnly"]), file);
  const alone = [...DEFAULTS, ...(major >= 6 ? ["--ignoreConfig"] : []), file];
  const result = run(tsc, ["--noEmit", "--pretty", "false", ...(belongs ? project : alone)]);
  if (result.failed) throw new Refusal(`${path} has type errors:\n${result.output.trimEnd()}`);
}

function compilerOf(path: string, file: string): { tsc: string; major: number } {
  try {
    const manifest = createRequire(file).resolve("typescript/package.json");
    const { version, bin } = JSON.parse(readFileSync(manifest, "utf8")) as {
      version: string;
      bin: { tsc: string };
    };
    return { tsc: join(dirname(manifest), bin.tsc), major: Number.parseInt(version, 10) };
  } catch (error) {
    const message = `--check needs TypeScript where ${path} can import it: npm install --save-dev typescript`;
    throw new Refusal(message, { cause: error });
  }
}

function nearestConfig(folder: string): string | undefined {
  const config = join(folder, "tsconfig.json");
  if (existsSync(config)) return config;
  return dirname(folder) === folder ? undefined : nearestConfig(dirname(folder));
}

function listsFile({ output }: { output: string }, file: string): boolean {
  const wanted = file.replaceAll("\\", "/");
  return output.split(/\r?\n/).some((line) => line === wanted);
}

function run(tsc: string, options: readonly string[]): { failed: boolean; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, ...options], {
    encoding: "utf8",
    maxBuffer: 64 * 2 ** 20,
  });
  return { failed: status !== 0, output: stdout + stderr };
}
