import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atExit } from "./at-exit.ts";
import { isRunning } from "./lock.ts";

const PREFIX = "westend-servers-";

/**
 * A folder that goes with this process. What a process left that was killed goes when the next one
 * asks for a folder.
 */
export function temporaryFolder(name: string): { path: string; remove: () => void } {
  sweep();
  const path = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-${name}-`));
  // Other users' servers have to get through.
  chmodSync(path, 0o755);
  const forget = atExit(() => discard(path));
  const remove = (): void => {
    forget();
    discard(path);
  };
  return { path, remove };
}

function sweep(): void {
  for (const entry of readdirSync(tmpdir())) {
    const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(entry)?.[1];
    if (owner === undefined || isRunning(Number(owner))) continue;
    discard(join(tmpdir(), entry));
  }
}

function discard(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    // Somebody sweeps beside us, or a process is still ending in there: the next sweep gets it.
  }
}
