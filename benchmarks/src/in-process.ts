import { fork } from "node:child_process";
import { join } from "node:path";

import type { Report, Settings } from "./workload.ts";

const child = join(import.meta.dirname, "child.ts");

/** Runs a workload in a process of its own: what one has compiled or left on the heap is not the next one's. */
export function runInProcess(workload: string, settings: Settings): Promise<Report> {
  return new Promise((resolve, reject) => {
    const running = fork(child, [workload, JSON.stringify(settings)], {
      execArgv: [...process.execArgv, "--expose-gc"],
      serialization: "advanced",
    });
    let report: Report | undefined;
    running.on("message", (message) => (report = message as Report));
    running.on("error", reject);
    running.on("exit", (code) => {
      if (code === 0 && report !== undefined) resolve(report);
      else reject(new Error(`the workload "${workload}" ended with code ${code}`));
    });
  });
}
