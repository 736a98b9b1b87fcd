import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { join } from "node:path";

/** Figures mean little without it. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory: number;
  readonly platform: string;
  readonly westend: string;
  readonly commit: string | undefined;
  readonly packages: Readonly<Record<string, string>>;
}

const here = join(import.meta.dirname, "..");

export function machine(): Machine {
  const { dependencies } = packageFile(join(here, "package.json"));
  const packages = Object.fromEntries(
    Object.entries(dependencies ?? {}).filter(([, version]) => version !== "*"),
  );
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memory: totalmem(),
    platform: `${process.platform} ${process.arch}`,
    westend: packageFile(join(here, "../packages/core/package.json")).version ?? "unknown",
    commit: commit(),
    packages,
  };
}

interface PackageFile {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

function packageFile(path: string): PackageFile {
  return JSON.parse(readFileSync(path, "utf8")) as PackageFile;
}

/** Where git or the repository is missing, the version has to do. */
function commit(): string | undefined {
  try {
    const args = ["rev-parse", "--short", "HEAD"];
    return execFileSync("git", args, { cwd: here, encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    return undefined;
  }
}
