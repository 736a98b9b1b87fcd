import { type Contender, interleave, type Limits } from "./harness.ts";
import { median, pairedRatio } from "./statistics.ts";
import { busyTime } from "./stopwatch.ts";
import { Tally } from "./tally.ts";
import type { Bar, Row } from "./table.ts";
import type { Report, Settings } from "./workload.ts";

/** Westend in one variant. */
export interface Variant {
  readonly name: string;
  run(messages: number, tally: Tally): Promise<unknown>;
}

export interface Pair {
  readonly title: string;
  /** What is judged. */
  readonly variant: Variant;
  /** What it is compared with. */
  readonly against: Variant;
  readonly bar: Bar;
}

export function contenderOf({ name, run }: Variant): Contender {
  return {
    name,
    async run(messages) {
      const tally = new Tally(messages);
      const milliseconds = await busyTime(() => run(messages, tally));
      tally.check(name);
      return milliseconds;
    },
  };
}

/** Westend with something against Westend without it. */
export async function comparePairs(
  pairs: readonly Pair[],
  settings: Settings,
  limits: Limits,
): Promise<Report> {
  const rows: Row[] = [];
  const raw: Record<string, unknown> = {};
  for (const { title, variant, against, bar } of pairs) {
    const rates = await interleave([variant, against].map(contenderOf), settings, limits);
    const [ours, theirs] = [rates.get(variant.name) ?? [], rates.get(against.name) ?? []];
    rows.push({
      workload: title,
      westend: { value: median(ours), unit: "msg/s" },
      other: { name: against.name, figure: { value: median(theirs), unit: "msg/s" } },
      ratio: pairedRatio(ours, theirs),
      bar,
    });
    raw[title] = Object.fromEntries(rates);
  }
  return { rows, raw };
}
