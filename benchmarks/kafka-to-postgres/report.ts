import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { plot } from "../src/plot.ts";
import { median, pairedRatio } from "../src/statistics.ts";
import { type Bar, type Row, show, table, type Unit, verdict } from "../src/table.ts";
import { clientLoop, contestants, homeGrown, homeGrownParallel, westend } from "./contestants.ts";
import type { LoadResult } from "./offered-load.ts";
import type { FaultResults, LoadResults, Results, Rounds } from "./results.ts";
import type { Throughput } from "./throughput.ts";

/** What is printed: a line for each contestant, then Westend against each of the others. */
export function summary(results: Results): string {
  const { machine, node, postgres, kafka, settings, milliseconds, faults } = results;
  const options = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
  return [
    markdown(figures(results)),
    ...(faults.length > 0 ? ["", markdown(losses(faults))] : []),
    "",
    table(comparisons(results)),
    "",
    "Medians. Ratios: median of the ratios of each round, with the least and the greatest.",
    `${machine.cpu}, ${machine.cores} cores, ${Math.round(machine.memory / 2 ** 30)} GB, ${machine.platform}, Node ${node};`,
    `Apache Kafka ${kafka}, PostgreSQL ${postgres} and the consumers on this machine;`,
    `westend ${machine.westend} (${machine.commit ?? "no commit"}), ${packages(results)};`,
    `${options.join(", ")}; ${(milliseconds / 60_000).toFixed(1)} min`,
  ].join("\n");
}

function packages({ machine }: Results): string {
  return ["@platformatic/kafka", "kafkajs", "pg"]
    .map((name) => `${name} ${machine.packages[name]}`)
    .join(", ");
}

/** A line for each contestant. */
function figures({ throughputs, loads }: Results): string[][] {
  const headings = [
    "consumer",
    "events/s",
    "from the start on",
    "INSERTs for 1,000 rows",
    ...loads.map(({ rate }) => `p50, p99 at ${rate.toLocaleString("en")}/s`),
    "CPU for 1,000 rows",
    "memory",
  ];
  const lines = Object.entries(throughputs).map(([name, runs]) => {
    const of = (value: (run: Throughput) => number): number => median(runs.map(value));
    return [
      name,
      whole(of(({ rate }) => rate)),
      whole(of(({ rateFromStart }) => rateFromStart)),
      of(({ inserts }) => inserts).toFixed(1),
      ...loads.map(({ results }) => ages(results[name] ?? [])),
      time(of(({ cpu }) => cpu)),
      show({ value: of(({ memory }) => memory), unit: "bytes" }),
    ];
  });
  return [headings, ...lines];
}

function ages(runs: readonly LoadResult[]): string {
  const more = runs.some(({ unwritten }) => unwritten > 0) ? "> " : "";
  const values = [runs.map(({ p50 }) => p50), runs.map(({ p99 }) => p99)];
  return values.map((all) => more + time(median(all))).join(", ");
}

function losses(faults: readonly FaultResults[]): string[][] {
  const lines = contestants.map(({ name }) => [
    name,
    ...faults.map(({ results }) => {
      const run = results[name]?.[0];
      if (run === undefined) return "";
      const ends = run.deaths > 0 ? `, process ended ${run.deaths} times` : "";
      return `${run.missing.toLocaleString("en")} events missing${ends}`;
    }),
  ]);
  return [["consumer", ...faults.map(({ name }) => name)], ...lines];
}

function markdown([headings = [], ...lines]: readonly (readonly string[])[]): string {
  return [headings, headings.map(() => "---"), ...lines]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

/** Westend against each of the others, with what was promised. */
function comparisons({ throughputs, loads }: Results): Row[] {
  const tenth: Bar = { is: "at most", must: 0.1 };
  const fast: Readonly<Record<string, Bar>> = {
    [homeGrown.name]: { is: "at least", must: 10, aim: 25 },
    [clientLoop.name]: { is: "at least", must: 0.9 },
  };
  return [
    ...compare(
      "throughput",
      "msg/s",
      values(throughputs, ({ rate }) => rate),
      fast,
    ),
    ...compare(
      "from the start on",
      "msg/s",
      values(throughputs, ({ rateFromStart }) => rateFromStart),
      fast,
    ),
    ...compare(
      "INSERTs for 1,000 rows",
      "",
      values(throughputs, ({ inserts }) => inserts),
      {
        [homeGrown.name]: tenth,
        [homeGrownParallel.name]: tenth,
      },
    ),
    ...loads.flatMap(({ rate, results }) =>
      compare(
        `p99 at ${rate.toLocaleString("en")}/s`,
        "ms",
        values(results, ({ p99 }) => p99),
        {
          [homeGrown.name]: tenth,
        },
      ),
    ),
    ...compare(
      "CPU for 1,000 rows",
      "ms",
      values(throughputs, ({ cpu }) => cpu),
    ),
    ...compare(
      "memory",
      "bytes",
      values(throughputs, ({ memory }) => memory),
    ),
  ];
}

function compare(
  workload: string,
  unit: Unit,
  runs: Rounds<number>,
  bars: Readonly<Record<string, Bar>> = {},
): Row[] {
  const { [westend.name]: ours, ...others } = runs;
  if (ours === undefined) return [];
  return Object.entries(others).map(([name, theirs]) => ({
    workload,
    westend: { value: median(ours), unit },
    other: { name, figure: { value: median(theirs), unit } },
    ratio: pairedRatio(ours, theirs),
    bar: bars[name],
  }));
}

function values<Result>(results: Rounds<Result>, value: (run: Result) => number): Rounds<number> {
  return Object.fromEntries(Object.entries(results).map(([name, runs]) => [name, runs.map(value)]));
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function time(value: number): string {
  return show(value >= 1000 ? { value: value / 1000, unit: "s" } : { value, unit: "ms" });
}

/** Writes every round of everybody, and the lag as plots; gives the file's name. */
export function save(results: Results): string {
  const directory = join(import.meta.dirname, "../results");
  mkdirSync(directory, { recursive: true });
  const date = new Date().toISOString();
  const { machine, settings, loads } = results;
  const quick = settings["quick"] === true ? "-quick" : "";
  const commit = machine.commit ?? machine.westend;
  const name = `${date.slice(0, 10)}-${commit}-kafka-to-postgres${quick}`;
  for (const load of loads) {
    writeFileSync(join(directory, `${name}-lag-${load.rate}.svg`), lagPlot(load));
  }
  const rows = comparisons(results).map((row) => ({ ...row, met: verdict(row) }));
  // The lag of each run is in the plots; as numbers it would be most of the file.
  const content = JSON.stringify(
    { date, ...results, rows },
    (key, value: unknown) => (key === "lag" ? undefined : value),
    2,
  );
  const file = join(directory, `${name}.json`);
  writeFileSync(file, `${content}\n`);
  return file;
}

/** Of the first round. */
function lagPlot({ rate, results }: LoadResults): string {
  return plot({
    title: `Lag at ${rate.toLocaleString("en")} events a second`,
    x: { title: "seconds since the load began" },
    y: { title: "events", logarithmic: true },
    lines: Object.entries(results).map(([name, runs]) => ({
      name,
      points: (runs[0]?.lag ?? []).map(({ x, y }) => ({ x, y: Math.max(1, y) })),
    })),
  });
}
