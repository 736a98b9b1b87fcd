import { workloads } from "../workloads/all.ts";
import { takeCpuTime } from "./stopwatch.ts";
import type { Settings } from "./workload.ts";

/** Runs one workload, or a part of one, and sends its report to the process that asked for it. */
const [name, settings, part] = process.argv.slice(2);
const workload = workloads.find((one) => one.name === name);
if (workload === undefined || settings === undefined) throw new Error(`no workload "${name}"`);
const parsed = JSON.parse(settings) as Settings;
if (parsed.cpu) takeCpuTime();
const report = await workload.run(parsed, part);
process.send?.({ ...report, node: process.versions.node }, () => process.exit());
