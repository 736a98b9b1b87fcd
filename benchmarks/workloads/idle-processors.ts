import { setTimeout as sleep } from "node:timers/promises";
import { definePipeline, memory } from "westend";

import { effort } from "../src/harness.ts";
import { median } from "../src/statistics.ts";
import type { Workload } from "../src/workload.ts";

/** Milliseconds from the arrival of ten messages to the end of the last handler. */
async function ten(): Promise<number> {
  const source = memory<number>();
  let handled = 0;
  let done = (): void => {};
  const all = new Promise<void>((resolve) => (done = resolve));
  const pipeline = definePipeline({
    name: "benchmark",
    producer: source,
    processor: {
      concurrency: 10,
      async handle() {
        await sleep(30);
        if (++handled === 10) done();
      },
    },
  });
  const running = await pipeline.start();
  await sleep(5);
  const started = performance.now();
  source.push(...Array.from({ length: 10 }, (_, index) => index));
  await all;
  const took = performance.now() - started;
  await running.stop();
  return took;
}

export const idleProcessors: Workload = {
  name: "idle-processors",
  async run(settings) {
    const times: number[] = [];
    await ten();
    for (let run = 0; run < effort(settings).rounds * 3; run++) times.push(await ten());
    const workload = "ten messages of 30 ms into ten idle processors";
    const westend = { value: median(times), unit: "ms" } as const;
    return { rows: [{ workload, westend, bar: { is: "at most", must: 33 } }], raw: times };
  },
};
