import { retry } from "westend";

import { comparePairs } from "../src/variants.ts";
import type { Workload } from "../src/workload.ts";
import { variant } from "./order-per-key.ts";

const policy = { retry: retry({ attempts: 5 }), timeout: 30_000 };
const bar = { is: "at least", must: 0.7, aim: 0.9 } as const;

export const retryTimeout: Workload = {
  name: "retry-timeout",
  run: (settings) =>
    comparePairs(
      (["async", "sync"] as const).map((style) => ({
        title: `+ retry and timeout, nothing failing, ${style}`,
        variant: variant("retry and timeout", style, policy),
        against: variant("without either", style, {}),
        bar,
      })),
      settings,
      { most: 1_500_000 },
    ),
};
