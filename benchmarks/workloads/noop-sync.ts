import { loops } from "../rivals/loops.ts";
import { compare, contender } from "../src/compare.ts";
import type { Workload } from "../src/workload.ts";
import { LOOPS_TO_BROADWAY, plainJob } from "./throughput.ts";

const asyncLoops = "async loops";

/** Broadway knows no sync handlers, so its figure is that of the async loops. */
export const noopSync: Workload = {
  name: "noop-sync",
  run: (settings) =>
    compare(
      {
        title: "no-op sync handler, 10 processors",
        limits: { most: 3_000_000 },
        bars: {
          broadway: {
            contender: asyncLoops,
            loops: LOOPS_TO_BROADWAY.plain,
            is: "at least",
            must: 10,
            aim: 25,
          },
        },
        extra: [{ ...contender(loops, plainJob("async")), name: asyncLoops }],
        job: plainJob("sync"),
      },
      settings,
    ),
};
