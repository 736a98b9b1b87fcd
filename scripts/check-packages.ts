import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What npm would publish: publint and attw on each package, and no file in it that does not belong there. */

const root = join(import.meta.dirname, "..");
const ALLOWED = /^(package\.json|README\.md|LICENSE|dist\/.+\.(js|d\.ts|js\.map|d\.ts\.map))$/;

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
}

let failed = false;

function run(command: string, ...args: string[]): string {
  const shell = process.platform === "win32";
  const result = spawnSync(command, args, { cwd: root, encoding: "utf8", shell });
  if (result.status !== 0) {
    failed = true;
    console.log(`${command} ${args.join(" ")}\n${result.stdout}${result.stderr}`);
  }
  return result.stdout;
}

for (const folder of readdirSync(join(root, "packages"))) {
  const path = `packages/${folder}`;
  if (!existsSync(join(root, path, "package.json"))) continue;
  const manifest = JSON.parse(readFileSync(join(root, path, "package.json"), "utf8")) as Manifest;
  if (manifest.private) continue;

  run("publint", "--strict", path);
  // A package with nothing but a command has no types to check.
  if (manifest.exports?.["."] !== undefined) {
    run("attw", "--pack", path, "--profile", "esm-only", "--exclude-entrypoints", "./package.json");
  }

  const packed = run("npm", "pack", "--dry-run", "--json", "--silent", "--workspace", path);
  const [{ files }] = JSON.parse(packed) as [{ files: { path: string }[] }];
  const strays = files.map((file) => file.path).filter((file) => !ALLOWED.test(file));
  if (strays.length > 0) {
    failed = true;
    console.log(`${manifest.name} would publish: ${strays.join(", ")}`);
  }
}
process.exitCode = failed ? 1 : 0;
