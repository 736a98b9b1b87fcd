import { comparison } from "../src/compare.ts";
import type { Workload } from "../src/workload.ts";
import { batchJob } from "./throughput.ts";

export const batchSync: Workload = comparison("batch-sync", {
  title: "+ batches of 100, sync",
  limits: { most: 2_000_000 },
  bars: {},
  job: batchJob("sync"),
});
