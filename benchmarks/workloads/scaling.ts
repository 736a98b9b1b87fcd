import { definePipeline, fromIterable } from "westend";

import { interleave } from "../src/harness.ts";
import { plot } from "../src/plot.ts";
import { median, spread } from "../src/statistics.ts";
import { contenderOf, type Variant } from "../src/variants.ts";
import type { Row, Settings, Workload } from "../src/workload.ts";
import { variant } from "./order-per-key.ts";
import { numbered } from "./throughput.ts";

interface Range {
  readonly title: string;
  readonly points: readonly number[];
  /** Messages in a run. */
  readonly messages: number;
  at(point: number): Variant;
}

const ranges: readonly Range[] = [
  {
    title: "1 → 1,000 processors",
    points: [1, 10, 100, 1000],
    messages: 300_000,
    at: (concurrency) => variant(String(concurrency), "async", { concurrency }),
  },
  {
    title: "1 → 100 batchers",
    points: [1, 10, 100],
    messages: 300_000,
    at: (count) => batchers(count),
  },
  {
    title: "10 → 10⁶ keys",
    points: [10, 1000, 100_000, 1_000_000],
    messages: 1_000_000,
    at: (keys) => variant(String(keys), "async", { partitionBy: (message) => message.data % keys }),
  },
];

function batchers(count: number): Variant {
  const names = Array.from({ length: count }, (_, index) => `sink-${index}`);
  return {
    name: String(count),
    async run(messages, tally) {
      const sink = {
        size: 100,
        async handle(batch: readonly { readonly data: number }[]): Promise<void> {
          for (const { data } of batch) tally.see(data);
        },
      };
      const pipeline = definePipeline({
        name: "benchmark",
        producer: fromIterable(numbered(messages)),
        processor: { handle: async (message) => message.to(names[message.data % count] as string) },
        batchers: Object.fromEntries(names.map((name) => [name, sink])),
      });
      const running = await pipeline.start();
      await running.done;
    },
  };
}

/** 100 → 100,000 messages: runs of so many, one after the other, each with its own start and stop. */
function runsOf(count: number): Variant {
  const short = variant("", "async", {});
  return { name: String(count), run: (messages, tally) => short.run(messages, tally) };
}

/** What a message costs at each point, against the first, in the same round; the worst of them is judged. */
async function grow(range: Range, settings: Settings): Promise<{ row: Row; rates: object }> {
  const { title, points, messages, at } = range;
  const most = settings.quick ? messages / 10 : messages;
  const contenders = points.map((point) => contenderOf(at(point)));
  // A run of fewer messages than keys would not see them all.
  const rates = await interleave(contenders, settings, { most, least: most });
  return {
    row: rowOf(title, points, (point) => rates.get(String(point)) ?? []),
    rates: Object.fromEntries(rates),
  };
}

function rowOf(
  title: string,
  points: readonly number[],
  of: (point: number) => readonly number[],
): Row {
  const [first = Number.NaN, ...others] = points;
  const growth = others.map((point) => ({
    point,
    ratio: spread(of(point).map((rate, round) => (of(first)[round] ?? Number.NaN) / rate)),
  }));
  const worst = growth.toSorted((a, b) => b.ratio.median - a.ratio.median)[0];
  if (worst === undefined) throw new Error("a range has two points at least");
  return {
    workload: `cost per message, ${title}`,
    westend: { value: 1e6 / median(of(worst.point)), unit: "µs" },
    other: {
      name: `${first} (worst: ${worst.point})`,
      figure: { value: 1e6 / median(of(first)), unit: "µs" },
    },
    ratio: worst.ratio,
    bar: { is: "at most", must: 1.5, aim: 1.1 },
  };
}

/** Each length is its own number of messages, so these cannot share a limit. */
async function growMessages(settings: Settings): Promise<{ row: Row; rates: object }> {
  const points = [100, 1000, 10_000, 100_000];
  const rates = new Map<number, number[]>(points.map((point) => [point, []]));
  const all = await Promise.resolve(points.map((point) => contenderOf(runsOf(point))));
  const rounds = settings.quick ? 3 : 7;
  for (let round = -1; round < rounds; round++) {
    for (const [index, point] of points.entries()) {
      let milliseconds = 0;
      const runs = Math.max(1, Math.round((settings.quick ? 100_000 : 300_000) / point));
      for (let run = 0; run < runs; run++) milliseconds += (await all[index]?.run(point)) ?? 0;
      if (round >= 0) rates.get(point)?.push(((runs * point) / milliseconds) * 1000);
    }
  }
  return {
    row: rowOf("100 → 100,000 messages", points, (point) => rates.get(point) ?? []),
    rates: Object.fromEntries(rates),
  };
}

export const scaling: Workload = {
  name: "scaling",
  async run(settings) {
    const grown = [await growMessages(settings)];
    for (const range of ranges) grown.push(await grow(range, settings));
    return {
      rows: grown.map(({ row }) => row),
      raw: Object.fromEntries(grown.map(({ row, rates }) => [row.workload, rates])),
      plots: settings.quick ? undefined : { concurrency: concurrencyPlot(grown[1]?.rates ?? {}) },
    };
  },
};

function concurrencyPlot(rates: object): string {
  const points = Object.entries(rates as Record<string, number[]>).map(([concurrency, values]) => ({
    x: Number(concurrency),
    y: median(values),
  }));
  return plot({
    title: "Throughput against concurrency, no-op async handler",
    x: { title: "processors", logarithmic: true },
    y: { title: "messages a second" },
    lines: [{ name: "westend", points }],
  });
}
