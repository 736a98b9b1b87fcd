import { asyncAcknowledging } from "../rivals/async-acknowledging.ts";
import { comparison } from "../src/compare.ts";
import type { Workload } from "../src/workload.ts";
import { batchJob, LOOPS_TO_BROADWAY } from "./throughput.ts";

export const batchAsync: Workload = comparison("batch-async", {
  title: "+ batches of 100, async",
  limits: { most: 2_000_000 },
  bars: {
    broadway: { loops: LOOPS_TO_BROADWAY.batched, is: "at least", must: 6, aim: 12 },
    fastestLibrary: { is: "at least", must: 1 },
  },
  completed: [asyncAcknowledging],
  job: batchJob("async"),
});
