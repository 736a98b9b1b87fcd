import { definePipeline, type Incoming, type Producer } from "westend";

import { plot } from "../src/plot.ts";
import { median, percentile } from "../src/statistics.ts";
import type { Row, Workload } from "../src/workload.ts";

interface Due extends Incoming<number, undefined> {}

/** Messages that are due at a steady rate, whoever waits for them; latency counts from when they were due. */
function steady(
  count: number,
  perMillisecond: number,
  latencies: Float64Array,
): Producer<number, undefined> {
  return {
    name: "steady",
    open(context) {
      const started = performance.now();
      let next = 0;
      let closed = false;
      const turn = (): void => {
        if (closed) return;
        context.wake();
        setImmediate(turn);
      };
      setImmediate(turn);
      return {
        idle: Infinity,
        pull({ messages }) {
          if (next === count) return null;
          const due = Math.floor((performance.now() - started) * perMillisecond);
          const end = Math.min(count, due, next + messages);
          const pulled: Due[] = [];
          while (next < end) pulled.push({ payload: next++, metadata: undefined });
          return pulled;
        },
        acknowledge({ succeeded }) {
          const now = performance.now() - started;
          for (const { incoming } of succeeded) {
            const number = incoming.payload as number;
            latencies[number] = now - number / perMillisecond;
          }
        },
        close() {
          closed = true;
        },
      };
    },
  };
}

/** Milliseconds of latency of each message at this load, and how long all took. */
async function offer(
  count: number,
  perMillisecond: number,
): Promise<{ latencies: Float64Array; took: number }> {
  const latencies = new Float64Array(count).fill(-1);
  const pipeline = definePipeline({
    name: "benchmark",
    producer: steady(count, perMillisecond, latencies),
    processor: { handle: async () => {} },
  });
  const started = performance.now();
  const running = await pipeline.start();
  await running.done;
  if (latencies.includes(-1)) throw new Error("a message was not acknowledged");
  return { latencies, took: performance.now() - started };
}

async function capacity(count: number): Promise<number> {
  const rates: number[] = [];
  for (let run = 0; run < 5; run++) rates.push(count / (await offer(count, Infinity)).took);
  return median(rates.slice(2));
}

export const halfLoad: Workload = {
  name: "half-load",
  async run({ quick }) {
    const most = await capacity(500_000);
    const milliseconds = quick ? 300 : 1500;
    const shares = quick ? [0.5] : [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
    const points: { share: number; p50: number; p99: number }[] = [];
    for (const share of shares) {
      const perMillisecond = most * share;
      await offer(Math.round(perMillisecond * 100), perMillisecond);
      const { latencies } = await offer(Math.round(perMillisecond * milliseconds), perMillisecond);
      // The first tenth is the start, which is measured elsewhere.
      const steadily = latencies.subarray(latencies.length / 10);
      points.push({ share, p50: percentile(steadily, 0.5), p99: percentile(steadily, 0.99) });
    }
    const half = points.find(({ share }) => share === 0.5);
    const rows: Row[] = [
      {
        workload: `latency at half of maximum load (${(most / 2000).toFixed(1)} M/s), async: p99`,
        westend: { value: half?.p99 ?? Number.NaN, unit: "ms" },
        bar: { is: "at most", must: 1, aim: 0.3 },
      },
    ];
    return {
      rows,
      raw: { capacity: most * 1000, points },
      plots: quick ? undefined : { latency: latencyPlot(points) },
    };
  },
};

function latencyPlot(points: readonly { share: number; p50: number; p99: number }[]): string {
  const line = (of: "p50" | "p99") => ({
    name: of,
    points: points.map((point) => ({ x: point.share * 100, y: point[of] })),
  });
  return plot({
    title: "Latency against load",
    x: { title: "% of maximum load" },
    y: { title: "ms" },
    lines: [line("p50"), line("p99")],
  });
}
