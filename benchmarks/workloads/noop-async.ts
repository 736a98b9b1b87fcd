import { asyncAcknowledging } from "../rivals/async-acknowledging.ts";
import { comparison } from "../src/compare.ts";
import type { Workload } from "../src/workload.ts";
import { LOOPS_TO_BROADWAY, plainJob } from "./throughput.ts";

export const noopAsync: Workload = comparison("noop-async", {
  title: "no-op async handler, 10 processors",
  limits: { most: 3_000_000 },
  bars: {
    loops: { is: "at least", must: 0.25, aim: 0.5 },
    broadway: { loops: LOOPS_TO_BROADWAY.plain, is: "at least", must: 5, aim: 10 },
    fastestLibrary: { is: "at least", must: 1 },
  },
  completed: [asyncAcknowledging],
  job: plainJob("async"),
});
