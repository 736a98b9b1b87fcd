import { definePipeline, type Producer } from "westend";

import { percentile } from "../src/statistics.ts";
import type { Row, Workload } from "../src/workload.ts";

/** One message at a time: the next one comes only when the event loop has been around after the last was acknowledged. */
function oneByOne(samples: Float64Array): Producer<number> {
  return {
    name: "one-by-one",
    open(context) {
      let next = 0;
      let ready = true;
      let pulled = 0;
      return {
        idle: Infinity,
        pull() {
          if (next === samples.length) return null;
          if (!ready) return [];
          ready = false;
          pulled = performance.now();
          return [{ payload: next++, metadata: undefined }];
        },
        acknowledge({ succeeded }) {
          if (succeeded.length !== 1) throw new Error("more than one message under way");
          samples[succeeded[0]?.incoming.payload as number] = (performance.now() - pulled) * 1000;
          setImmediate(() => {
            ready = true;
            context.wake();
          });
        },
      };
    },
  };
}

async function measure(style: "sync" | "async", messages: number): Promise<Float64Array> {
  const samples = new Float64Array(messages);
  const pipeline = definePipeline({
    name: "benchmark",
    producer: oneByOne(samples),
    processor: { handle: style === "sync" ? () => {} : async () => {} },
  });
  const running = await pipeline.start();
  const { succeeded } = await running.done;
  if (succeeded !== messages) throw new Error(`${succeeded} of ${messages} succeeded`);
  return samples;
}

export const latency: Workload = {
  name: "latency",
  async run({ quick }) {
    const rows: Row[] = [];
    const raw: Record<string, unknown> = {};
    for (const style of ["async", "sync"] as const) {
      await measure(style, 20_000);
      const samples = await measure(style, quick ? 20_000 : 100_000);
      const p50 = percentile(samples, 0.5);
      const p99 = percentile(samples, 0.99);
      const workload = `latency added, unloaded, ${style}`;
      rows.push(
        {
          workload: `${workload}: p50`,
          westend: { value: p50, unit: "µs" },
          bar: { is: "at most", must: 20, aim: 5 },
        },
        {
          workload: `${workload}: p99`,
          westend: { value: p99, unit: "µs" },
          bar: { is: "at most", must: 200, aim: 50 },
        },
      );
      raw[style] = { p50, p90: percentile(samples, 0.9), p99, p999: percentile(samples, 0.999) };
    }
    return { rows, raw };
  },
};
