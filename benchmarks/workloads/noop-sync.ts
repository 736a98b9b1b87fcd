import { comparison } from "../src/compare.ts";
import type { Workload } from "../src/workload.ts";
import { LOOPS_TO_BROADWAY, plainJob } from "./throughput.ts";

/** Broadway knows no sync handlers: without Elixir, its figure is that of the async loops. */
export const noopSync: Workload = comparison("noop-sync", {
  title: "no-op sync handler, 10 processors",
  limits: { most: 3_000_000 },
  bars: {
    broadway: {
      loops: LOOPS_TO_BROADWAY.plain,
      loopsJob: plainJob("async"),
      is: "at least",
      must: 10,
      aim: 25,
    },
  },
  job: plainJob("sync"),
});
