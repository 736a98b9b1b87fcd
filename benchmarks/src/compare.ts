import { libraries } from "../rivals/all.ts";
import { Broadway } from "../rivals/broadway.ts";
import { loops } from "../rivals/loops.ts";
import { westend } from "../rivals/westend.ts";
import { type Contender, interleave, type Limits } from "./harness.ts";
import type { Job, Rival } from "./rival.ts";
import { median, pairedRatio } from "./statistics.ts";
import { busyTime, wallTime } from "./stopwatch.ts";
import { Tally } from "./tally.ts";
import type { Bar, Row } from "./table.ts";
import type { Report, Settings, Workload } from "./workload.ts";

/** A job but for its messages and its sink. */
export interface Comparison {
  readonly title: string;
  readonly limits: Limits;
  readonly bars: Bars;
  /** Beside the libraries: one with what it lacks written by hand. Without a bar, as it is no library. */
  readonly completed?: readonly Rival[] | undefined;
  job(messages: number, tally: Tally): Job;
}

export interface Bars {
  readonly loops?: Bar | undefined;
  readonly fastestLibrary?: Bar | undefined;
  readonly broadway?: BroadwayBar | undefined;
}

/** Where there is no Elixir, through loops: how many times as fast as Broadway on two cores they are, and at which job. */
export interface BroadwayBar extends Bar {
  readonly loops: number;
  readonly loopsJob?: Comparison["job"];
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

const BROADWAY = "Broadway";

/**
 * Westend against the loops, Broadway and the libraries at the same job; against each in a process of its own, as it would be used:
 * what others have left on the heap and in the compiler's notes is neither's.
 */
export function comparison(name: string, comparison: Comparison): Workload {
  const { bars, completed = [], job } = comparison;
  const rivals = [loops, ...libraries, ...completed];
  const names = rivals.map((rival) => rival.name);
  return {
    name,
    parts: bars.broadway === undefined ? names : [...names, BROADWAY],
    async run(settings, part) {
      if (part === BROADWAY) return againstBroadway(comparison, settings);
      const rival = rivals.find((one) => one.name === part);
      if (rival === undefined) throw new Error(`nobody is called "${part}"`);
      return against(contender(rival, job), comparison, settings);
    },
    arrange: (rows) => arranged(comparison, rows),
  };
}

async function against(
  other: Contender,
  { title, limits, job }: Comparison,
  settings: Settings,
  faster = 1,
): Promise<Report> {
  const rates = await interleave([contender(westend, job), other], settings, limits);
  const ours = rates.get(westend.name) ?? [];
  const theirs = (rates.get(other.name) ?? []).map((rate) => rate / faster);
  const row: Row = {
    workload: title,
    westend: { value: median(ours), unit: "msg/s" },
    other: {
      name: faster === 1 ? other.name : `${BROADWAY} (${other.name} ÷ ${faster})`,
      figure: { value: median(theirs), unit: "msg/s" },
    },
    ratio: pairedRatio(ours, theirs),
  };
  return { rows: [row], raw: Object.fromEntries(rates) };
}

async function againstBroadway(comparison: Comparison, settings: Settings): Promise<Report> {
  const { bars, job } = comparison;
  // It has all cores and a process of its own, whose CPU time is not seen here.
  const broadway = settings.cpu ? undefined : await Broadway.start();
  if (broadway === undefined) {
    const { loops: faster = 1, loopsJob = job } = bars.broadway ?? {};
    return against(contender(loops, loopsJob), comparison, settings, faster);
  }
  const { name } = broadway;
  const run = (messages: number): Promise<number> =>
    broadway.run(job(messages, new Tally(messages)));
  const report = await against({ name, run }, comparison, settings);
  await broadway.stop();
  return report;
}

/** The loops, Broadway, then the libraries, the fastest first; whoever completes one comes behind it. */
function arranged(
  { bars, completed = [] }: Comparison,
  rows: ReadonlyMap<string, readonly Row[]>,
): Row[] {
  const rowsOf = (name: string, bar?: Bar): Row[] =>
    (rows.get(name) ?? []).map((row) => ({ ...row, bar }));
  const rate = (name: string): number => rows.get(name)?.[0]?.other?.figure?.value ?? 0;
  const sorted = libraries.map(({ name }) => name).toSorted((a, b) => rate(b) - rate(a));
  const [fastest = "", ...slower] = sorted;
  return [
    ...rowsOf(loops.name, bars.loops),
    ...rowsOf(BROADWAY, bars.broadway),
    ...rowsOf(fastest, bars.fastestLibrary),
    ...[...completed.map(({ name }) => name), ...slower].flatMap((name) => rowsOf(name)),
  ];
}
