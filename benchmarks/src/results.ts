import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Ran } from "./in-process.ts";
import type { Machine } from "./machine.ts";
import { type Row, verdict } from "./table.ts";
import type { Settings } from "./workload.ts";

/** One call of `npm run bench`. */
export interface Run {
  readonly reports: Readonly<Record<string, Ran>>;
  readonly settings: Settings;
  readonly machine: Machine;
  readonly only: readonly string[] | undefined;
  readonly milliseconds: number;
}

export function rowsOf({ reports }: Run): Row[] {
  return Object.values(reports).flatMap(({ rows, node }) => rows.map((row) => ({ ...row, node })));
}

/** What has to be known to read the table. */
export function footer(run: Run): string {
  const { machine, settings, milliseconds } = run;
  const barred = rowsOf(run).filter(({ bar }) => bar !== undefined);
  const missed = barred.filter((row) => verdict(row) === "MISSED");
  const derived = barred.some(({ other }) => other?.name.includes("÷"));
  const packages = Object.entries(machine.packages).map((entry) => entry.join(" "));
  const commit = machine.commit === undefined ? "" : ` (${machine.commit})`;
  const memory = Math.round(machine.memory / 2 ** 30);
  return [
    `Bars: ${barred.length - missed.length} of ${barred.length} met. Ratios: median of the ratios of each round, with the least and the greatest.`,
    derived
      ? "Without Elixir, Broadway's figure is that of the loops, divided by how much slower it was measured to be (19, with batches 31, waiting 1.72)."
      : undefined,
    "Left out: a CPU-bound handler on worker threads, until thread(…) is there; what needs servers.",
    settings.quick
      ? "--quick: few and short runs; the figures only show the order of magnitude."
      : undefined,
    settings.cpu
      ? "--cpu: CPU time of the main thread where nothing is waited for; the bars are for time."
      : undefined,
    `${machine.cpu}, ${machine.cores} cores, ${memory} GB, ${machine.platform}`,
    `westend ${machine.westend}${commit}, ${packages.join(", ")}`,
    `${(milliseconds / 1000).toFixed(0)} s`,
  ]
    .filter((line) => line !== undefined)
    .join("\n");
}

/** Writes everything measured, and the plots; quick and partial runs do not overwrite whole ones. Gives the file's name. */
export function save(run: Run): string {
  const { reports, settings, machine, only } = run;
  const directory = join(import.meta.dirname, "../results");
  mkdirSync(directory, { recursive: true });
  const date = new Date().toISOString();
  const { quick, cpu, real } = settings;
  const node = Object.values(reports)[0]?.node;
  const name = [
    date.slice(0, 10),
    machine.commit ?? machine.westend,
    node === process.versions.node ? undefined : `node-${node}`,
    only?.join("+"),
    quick && "quick",
    cpu && "cpu",
    real && "real",
  ]
    .filter((part) => typeof part === "string")
    .join("-");
  const workloads = Object.fromEntries(
    Object.entries(reports).map(([workload, { node, rows, raw }]) => [
      workload,
      { node, rows: rows.map((row) => ({ ...row, met: verdict(row) })), raw },
    ]),
  );
  const file = join(directory, `${name}.json`);
  const content = { date, machine, settings, workloads };
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
  for (const { plots = {} } of Object.values(reports)) {
    for (const [plot, svg] of Object.entries(plots)) {
      writeFileSync(join(directory, `${name}-${plot}.svg`), svg);
    }
  }
  return file;
}
