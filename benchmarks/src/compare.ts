import { libraries } from "../rivals/all.ts";
import { loops } from "../rivals/loops.ts";
import { westend } from "../rivals/westend.ts";
import { type Contender, interleave, type Limits, type Rates } from "./harness.ts";
import type { Job, Rival } from "./rival.ts";
import { median, pairedRatio } from "./statistics.ts";
import { busyTime, wallTime } from "./stopwatch.ts";
import { Tally } from "./tally.ts";
import type { Bar, Row } from "./table.ts";
import type { Report, Settings } from "./workload.ts";

/** A job but for its messages and its sink. */
export interface Comparison {
  readonly title: string;
  readonly limits: Limits;
  readonly bars: Bars;
  readonly others?: readonly Rival[] | undefined;
  /** Beside the fastest library: one with what it lacks written by hand. Without a bar, as it is no library. */
  readonly completed?: readonly Rival[] | undefined;
  readonly extra?: readonly Contender[] | undefined;
  job(messages: number, tally: Tally): Job;
}

export interface Bars {
  readonly loops?: Bar | undefined;
  readonly fastestLibrary?: Bar | undefined;
  /** Broadway through the loops: how many times as fast as Broadway on two cores they are, and which loops. */
  readonly broadway?: Bar & { readonly loops: number; readonly contender?: string };
}

export function contender(rival: Rival, job: Comparison["job"]): Contender {
  return {
    name: rival.name,
    async run(messages) {
      const tally = new Tally(messages);
      const todo = job(messages, tally);
      const time = todo.wait === undefined ? busyTime : wallTime;
      const milliseconds = await time(() => rival.run(todo));
      tally.check(rival.name);
      return milliseconds;
    },
  };
}

/** Westend, the loops and the libraries at the same job: one row for each of them, those with a bar first. */
export async function compare(comparison: Comparison, settings: Settings): Promise<Report> {
  const { limits, others = libraries, completed = [], extra = [], job } = comparison;
  const rivals = [westend, loops, ...others, ...completed].map((rival) => contender(rival, job));
  const rates = await interleave([...rivals, ...extra], settings, limits);
  return { rows: rowsOf(comparison, rates), raw: Object.fromEntries(rates) };
}

function rowsOf(comparison: Comparison, rates: Rates): Row[] {
  const { title, bars, others = libraries, completed = [] } = comparison;
  const rate = (name: string): number => median(rates.get(name) ?? []);
  const row = (name: string, bar?: Bar, faster = 1): Row => ({
    workload: title,
    westend: { value: rate(westend.name), unit: "msg/s" },
    other: {
      name: faster === 1 ? name : `Broadway (${name} ÷ ${faster})`,
      figure: { value: rate(name) / faster, unit: "msg/s" },
    },
    ratio: pairedRatio(
      rates.get(westend.name) ?? [],
      (rates.get(name) ?? []).map((value) => value / faster),
    ),
    bar,
  });
  const sorted = others.map(({ name }) => name).toSorted((a, b) => rate(b) - rate(a));
  const rows = [row(loops.name, bars.loops)];
  const { broadway } = bars;
  if (broadway !== undefined) {
    rows.push(row(broadway.contender ?? loops.name, broadway, broadway.loops));
  }
  for (const [place, name] of sorted.entries()) {
    rows.push(row(name, place === 0 ? bars.fastestLibrary : undefined));
    if (place === 0) rows.push(...completed.map((rival) => row(rival.name)));
  }
  return rows;
}
