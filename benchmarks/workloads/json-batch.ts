import { comparison } from "../src/compare.ts";
import type { Job } from "../src/rival.ts";
import type { Tally } from "../src/tally.ts";
import type { Workload } from "../src/workload.ts";

const most = 60_000;

interface Order {
  readonly number: number;
}

/** About 1 KB, as an order of a shop might look: strings, numbers, a nested object, an array. */
function order(number: number): string {
  const lines = Array.from({ length: 8 }, (_, index) => ({
    article: `article-${(number * 7 + index) % 1000}`,
    quantity: 1 + (index % 3),
    cents: 199 + index * 350,
    note: "to be wrapped as a gift",
  }));
  const customer = { id: number % 5000, name: "Ada Lovelace", city: "London" };
  const order = JSON.stringify({ number, customer, lines, paid: true, at: 1_700_000_000_000 });
  return JSON.stringify({
    ...JSON.parse(order),
    memo: "x".repeat(Math.max(0, 1013 - order.length)),
  });
}

let orders: readonly string[] = [];

/** Ten handlers that decode 1 KB, and batches of a hundred that count. */
export function jsonJob(messages: number, tally: Tally): Job {
  if (orders.length === 0) orders = Array.from({ length: most }, (_, number) => order(number));
  return {
    items: orders.slice(0, messages),
    concurrency: 10,
    style: "async",
    json: true,
    work: (item) => JSON.parse(item as string) as unknown,
    batch: {
      size: 100,
      write: (batch) => {
        for (const item of batch) tally.see((item as Order).number);
      },
    },
  };
}

export const jsonBatch: Workload = comparison("json-batch", {
  title: "1 KB of JSON decoded, batches of 100",
  limits: { most },
  bars: { loops: { is: "at least", must: 0.9, aim: 0.95 } },
  job: jsonJob,
});
