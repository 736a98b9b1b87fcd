import { fork } from "node:child_process";

import type { Runtime } from "./runtime.ts";
import type { Report, Settings } from "./workload.ts";

/** A report, and the Node it was made on. */
export interface Ran extends Report {
  readonly node: string;
}

/** Runs a workload in a process of its own: what one has compiled or left on the heap is not the next one's. */
export function runInProcess(
  workload: string,
  settings: Settings,
  { execPath, child }: Runtime,
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const running = fork(child, [workload, JSON.stringify(settings)], {
      execPath,
      execArgv: [...process.execArgv, "--expose-gc"],
      serialization: "advanced",
    });
    let report: Ran | undefined;
    running.on("message", (message) => (report = message as Ran));
    running.on("error", reject);
    running.on("exit", (code) => {
      if (code === 0 && report !== undefined) resolve(report);
      else reject(new Error(`the workload "${workload}" ended with code ${code}`));
    });
  });
}
