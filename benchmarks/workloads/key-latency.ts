import { definePipeline, fromIterable } from "westend";

import { loops } from "../rivals/loops.ts";
import { effort } from "../src/harness.ts";
import { median, pairedRatio } from "../src/statistics.ts";
import { wallTime } from "../src/stopwatch.ts";
import { Tally } from "../src/tally.ts";
import type { Workload } from "../src/workload.ts";
import { numbered } from "./throughput.ts";

const messages = 10_000;
const keys = 1000;
const concurrency = 100;

/** 0–5 ms, the same in each run (a linear congruential generator). */
const waits = ((): Float64Array => {
  let state = 42;
  return Float64Array.from({ length: messages }, () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return (state / 2 ** 32) * 5;
  });
})();

const wait = (number: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, waits[number]));

async function ordered(): Promise<void> {
  const tally = new Tally(messages);
  const last = new Map<number, number>();
  const pipeline = definePipeline({
    name: "benchmark",
    producer: fromIterable(numbered(messages)),
    processor: {
      concurrency,
      partitionBy: (message) => message.data % keys,
      async handle(message) {
        const number = message.data;
        if ((last.get(number % keys) ?? -1) >= number) throw new Error("out of order");
        last.set(number % keys, number);
        await wait(number);
        tally.see(number);
      },
    },
  });
  const running = await pipeline.start();
  const { failed } = await running.done;
  if (failed > 0) throw new Error(`${failed} messages came out of order`);
  tally.check("westend");
}

async function unordered(): Promise<void> {
  const tally = new Tally(messages);
  await loops.run({
    items: numbered(messages),
    concurrency,
    style: "async",
    wait: (item) => wait(item as number),
    work: (item) => tally.see(item as number),
  });
  tally.check(loops.name);
}

export const keyLatency: Workload = {
  name: "key-latency",
  async run(settings) {
    const { rounds } = effort(settings);
    await ordered();
    await unordered();
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      ours.push(await wallTime(ordered));
      theirs.push(await wallTime(unordered));
    }
    const workload = "10,000 messages of 0–5 ms, 1,000 keys in order, concurrency 100";
    const westend = { value: median(ours), unit: "ms" } as const;
    const figure = { value: median(theirs), unit: "ms" } as const;
    return {
      rows: [
        { workload, westend, bar: { is: "at most", must: 350, aim: 280 } },
        {
          workload,
          westend,
          other: { name: "hand-written loops without order", figure },
          ratio: pairedRatio(ours, theirs),
        },
      ],
      raw: { ours, theirs, ideal: waits.reduce((sum, one) => sum + one, 0) / concurrency },
    };
  },
};
