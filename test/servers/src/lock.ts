import { readFileSync, rmSync, writeFileSync } from "node:fs";

/** Takes a lock that other processes of this machine go by, until `unlock` or until this process has ended. */
export function tryLock(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const owner = ownerOf(path);
    // Taken at the next try.
    if (owner > 0 && !isRunning(owner)) unlock(path);
    return false;
  }
}

export function unlock(path: string): void {
  rmSync(path, { force: true });
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

/** 0 if nobody has it, or if its owner is only about to write its name. */
function ownerOf(path: string): number {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    return 0;
  }
}
