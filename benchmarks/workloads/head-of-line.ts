import { definePipeline, type Producer } from "westend";

import { effort } from "../src/harness.ts";
import { median, percentile } from "../src/statistics.ts";
import type { Workload } from "../src/workload.ts";

const slow = 0;
const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The slow message first, then a fast one every half a millisecond while it runs: a fifth of what ten processors can do. */
function trickle(latencies: number[]): Producer<number> {
  return {
    name: "trickle",
    open(context) {
      const started = performance.now();
      const pulledAt = new Map<number, number>();
      let next = 0;
      const timer = setInterval(() => context.wake(), 1);
      return {
        idle: Infinity,
        pull({ messages }) {
          const elapsed = performance.now() - started;
          if (elapsed > 100) return null;
          const end = Math.min(Math.floor(elapsed * 2) + 1, next + messages);
          const pulled = [];
          for (; next < end; next++) {
            pulledAt.set(next, performance.now());
            pulled.push({ payload: next, metadata: undefined });
          }
          return pulled;
        },
        acknowledge({ succeeded }) {
          const now = performance.now();
          for (const { incoming } of succeeded) {
            const number = incoming.payload as number;
            if (number !== slow) latencies.push(now - (pulledAt.get(number) ?? Number.NaN));
          }
        },
        close: () => clearInterval(timer),
      };
    },
  };
}

/** 95 of 100 of the fast messages, which take 1 ms each, are acknowledged within so many milliseconds of their pull. */
async function p95(): Promise<number> {
  const latencies: number[] = [];
  const pipeline = definePipeline({
    name: "benchmark",
    producer: trickle(latencies),
    processor: {
      concurrency: 10,
      handle: ({ data }) => sleep(data === slow ? 100 : 1),
    },
  });
  const running = await pipeline.start();
  const { received } = await running.done;
  if (latencies.length !== received - 1) throw new Error("a message was not acknowledged");
  return percentile(latencies, 0.95);
}

export const headOfLine: Workload = {
  name: "head-of-line",
  async run(settings) {
    await p95();
    const times: number[] = [];
    for (let run = 0; run < effort(settings).rounds * 2; run++) times.push(await p95());
    const workload = "one message of 100 ms among fast ones of 1 ms: p95 of these";
    const westend = { value: median(times), unit: "ms" } as const;
    return { rows: [{ workload, westend, bar: { is: "at most", must: 5, aim: 3 } }], raw: times };
  },
};
