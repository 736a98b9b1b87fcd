/** Whether CPU time is taken where nothing is waited for; see `--cpu`. */
let byCpu = false;

/** For machines that are busy with other things: what others take of the processor does not count. */
export function takeCpuTime(): void {
  byCpu = true;
}

/** How long work takes that never waits, in milliseconds. */
export function busyTime(work: () => Promise<unknown>): Promise<number> {
  return time(work, byCpu ? cpuTime : () => performance.now());
}

/** How long work takes that waits, in milliseconds. */
export function wallTime(work: () => Promise<unknown>): Promise<number> {
  return time(work, () => performance.now());
}

async function time(work: () => Promise<unknown>, now: () => number): Promise<number> {
  const started = now();
  await work();
  return now() - started;
}

/** Milliseconds of CPU this thread has had; compiling and collecting on other threads does not count. */
function cpuTime(): number {
  const { threadCpuUsage = process.cpuUsage } = process as Partial<ThreadTimes> & NodeJS.Process;
  const { user, system } = threadCpuUsage();
  return (user + system) / 1000;
}

/** Node has it from 23.9 on, and the types are older; without it, other threads count. */
interface ThreadTimes {
  threadCpuUsage(): { user: number; system: number };
}
