import { parseArgs } from "node:util";

import { workloads } from "../workloads/all.ts";
import { type Ran, runInProcess } from "./in-process.ts";
import { machine } from "./machine.ts";
import { footer, rowsOf, type Run, save } from "./results.ts";
import { runtimeAt } from "./runtime.ts";
import { table } from "./table.ts";

const USAGE = `npm run bench -- [--only <workload>]… [--quick] [--cpu] [--real] [--node <path>] [--list]`;

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    quick: { type: "boolean", default: false },
    cpu: { type: "boolean", default: false },
    real: { type: "boolean", default: false },
    node: { type: "string" },
    list: { type: "boolean", default: false },
  },
});

const names = workloads.map(({ name }) => name);
const wanted = values.only ?? names;
const unknown = wanted.filter((name) => !names.includes(name));

if (values.list) {
  console.log(names.join("\n"));
} else if (unknown.length > 0) {
  console.error(`No workload ${unknown.join(", ")}.\n${USAGE}\nWorkloads: ${names.join(", ")}`);
  process.exitCode = 2;
} else {
  await measure(wanted);
}

async function measure(wanted: readonly string[]): Promise<void> {
  const begun = performance.now();
  const { quick, cpu, real } = values;
  const settings = { quick, cpu, real };
  const runtime = await runtimeAt(values.node);
  const reports: Record<string, Ran> = {};
  for (const workload of workloads.filter(({ name }) => wanted.includes(name))) {
    const { name } = workload;
    process.stderr.write(`${name} … `);
    const started = performance.now();
    try {
      reports[name] = await runInProcess(workload, settings, runtime);
    } catch (error) {
      console.error(error);
      process.exitCode = 1;
    }
    process.stderr.write(`${((performance.now() - started) / 1000).toFixed(1)} s\n`);
  }
  const run: Run = {
    reports,
    settings,
    machine: machine(),
    only: values.only,
    milliseconds: performance.now() - begun,
  };
  console.log(`\n${table(rowsOf(run))}\n`);
  console.log(footer(run));
  console.log(save(run));
}
