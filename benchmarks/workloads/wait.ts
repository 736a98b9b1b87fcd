import { comparison } from "../src/compare.ts";
import type { Job } from "../src/rival.ts";
import type { Tally } from "../src/tally.ts";
import type { Workload } from "../src/workload.ts";
import { LOOPS_TO_BROADWAY, numbered } from "./throughput.ts";

const wait = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/** A hundred handlers that wait, then count. */
export function waitingJob(messages: number, tally: Tally): Job {
  return {
    items: numbered(messages),
    concurrency: 100,
    style: "async",
    wait,
    work: (item) => tally.see(item as number),
  };
}

export const waiting: Workload = comparison("wait", {
  title: "1 ms of waiting, concurrency 100",
  limits: { most: 50_000, least: 1000 },
  bars: {
    loops: { is: "at least", must: 0.95, aim: 1 },
    broadway: { loops: LOOPS_TO_BROADWAY.waiting, is: "at least", must: 1.5 },
  },
  job: waitingJob,
});
