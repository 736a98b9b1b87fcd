import { libraries } from "../rivals/all.ts";
import { loops } from "../rivals/loops.ts";
import { westend } from "../rivals/westend.ts";
import { contender } from "../src/compare.ts";
import { collectYoung, effort } from "../src/harness.ts";
import { median } from "../src/statistics.ts";
import { Tally } from "../src/tally.ts";
import type { Row, Workload } from "../src/workload.ts";
import { plainJob } from "./throughput.ts";

/** The longest time between two beats of a 1 ms timer while the work runs. */
async function longestGap(work: () => Promise<unknown>): Promise<number> {
  let last = performance.now();
  let longest = 0;
  const beat = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(beat, 1);
  await new Promise((resolve) => setTimeout(resolve, 5));
  longest = 0;
  await work();
  beat();
  clearInterval(timer);
  return longest;
}

/** Every contender is kept busy for about as long: the gap of one that never lets go is all of its run. */
export const timerGap: Workload = {
  name: "timer-gap",
  async run(settings) {
    const { rounds } = effort(settings);
    const milliseconds = settings.quick ? 200 : 1000;
    const workload = "longest gap of a 1 ms timer, saturated, sync handler";
    const gaps = new Map<string, number[]>();
    for (const rival of [westend, loops, ...libraries]) {
      const one = contender(rival, plainJob("sync"));
      await one.run(100_000);
      const rate = 200_000 / (await one.run(200_000));
      const messages = Math.min(5_000_000, Math.round(rate * milliseconds));
      // The others are there to compare with: one look is enough.
      for (let round = 0; round < (rival === westend ? rounds : 1); round++) {
        collectYoung();
        const tally = new Tally(messages);
        const job = plainJob("sync")(messages, tally);
        const gap = await longestGap(() => rival.run(job));
        tally.check(rival.name);
        gaps.set(rival.name, [...(gaps.get(rival.name) ?? []), gap]);
      }
    }
    const figure = (name: string) => ({ value: median(gaps.get(name) ?? []), unit: "ms" }) as const;
    const ours = figure(westend.name);
    const rows: Row[] = [{ workload, westend: ours, bar: { is: "at most", must: 20, aim: 10 } }];
    for (const { name } of [loops, ...libraries]) {
      rows.push({ workload, westend: ours, other: { name, figure: figure(name) } });
    }
    return { rows, raw: Object.fromEntries(gaps) };
  },
};
