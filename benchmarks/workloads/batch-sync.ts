import type { Workload } from "../src/workload.ts";
import { batchJob, throughput } from "./throughput.ts";

export const batchSync: Workload = throughput("batch-sync", {
  title: "+ batches of 100, sync",
  limits: { most: 2_000_000 },
  bars: {},
  job: batchJob("sync"),
});
