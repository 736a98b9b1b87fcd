import { definePipeline, fromIterable, type ProcessorOptions } from "westend";

import type { Variant } from "../src/variants.ts";
import { comparePairs } from "../src/variants.ts";
import type { Workload } from "../src/workload.ts";
import { numbered } from "./throughput.ts";

const keys = 10_000;

type Options = Omit<ProcessorOptions<number, unknown, void>, "handle">;

/** Ten no-op processors with these options. */
export function variant(name: string, style: "sync" | "async", options: Options): Variant {
  return {
    name,
    async run(messages, tally) {
      const pipeline = definePipeline({
        name: "benchmark",
        producer: fromIterable(numbered(messages)),
        processor: {
          ...options,
          handle:
            style === "sync"
              ? (message): void => tally.see(message.data)
              : async (message): Promise<void> => tally.see(message.data),
        },
      });
      const running = await pipeline.start();
      await running.done;
    },
  };
}

export const orderPerKey: Workload = {
  name: "order-per-key",
  run: (settings) =>
    comparePairs(
      [
        {
          title: "+ order per key, 10,000 keys, async",
          variant: variant("order per key", "async", {
            partitionBy: (message) => message.data % keys,
          }),
          against: variant("without order", "async", {}),
          bar: { is: "at least", must: 0.5, aim: 0.7 },
        },
      ],
      settings,
      { most: 1_500_000 },
    ),
};
