import { fork } from "node:child_process";

import type { Runtime } from "./runtime.ts";
import type { Report, Row, Settings, Workload } from "./workload.ts";

/** A report, and the Node it was made on. */
export interface Ran extends Report {
  readonly node: string;
}

/** Runs a workload, or each of its parts, in a process of its own: what one has compiled or left on the heap is not the next one's. */
export async function runInProcess(
  workload: Workload,
  settings: Settings,
  runtime: Runtime,
): Promise<Ran> {
  const { name, parts, arrange = allOf } = workload;
  const task = [name, JSON.stringify(settings)];
  if (parts === undefined) return run(task, runtime);
  const reports = new Map<string, Ran>();
  for (const part of parts) reports.set(part, await run([...task, part], runtime));
  const { node } = [...reports.values()][0] as Ran;
  const rows = new Map([...reports].map(([part, report]) => [part, report.rows]));
  const raw = Object.fromEntries([...reports].map(([part, report]) => [part, report.raw]));
  return { rows: arrange(rows), raw, node };
}

function allOf(rows: ReadonlyMap<string, readonly Row[]>): readonly Row[] {
  return [...rows.values()].flat();
}

function run(task: readonly string[], { execPath, child }: Runtime): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const running = fork(child, task, {
      execPath,
      execArgv: [...process.execArgv, "--expose-gc"],
      serialization: "advanced",
    });
    let report: Ran | undefined;
    running.on("message", (message) => (report = message as Ran));
    running.on("error", reject);
    running.on("exit", (code) => {
      if (code === 0 && report !== undefined) resolve(report);
      else reject(new Error(`the workload "${task[0]}" ended with code ${code}`));
    });
  });
}
