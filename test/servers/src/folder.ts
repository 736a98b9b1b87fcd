import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

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
  const remove = (): void => {
    process.off("exit", remove);
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  };
  process.on("exit", remove);
  return { path, remove };
}

function sweep(): void {
  for (const entry of readdirSync(tmpdir())) {
    const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(entry)?.[1];
    if (owner === undefined || isRunning(Number(owner))) continue;
    rmSync(join(tmpdir(), entry), { recursive: true, force: true });
  }
}

/** Whether there is such a process, ours or not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
