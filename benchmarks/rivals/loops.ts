import type { Job, Rival } from "../src/rival.ts";
import { grouping } from "./handler.ts";

/** What somebody writes in ten minutes: so many loops over one array. No acknowledgement, no order, no bounds, no retry. */
export const loops: Rival = {
  name: "hand-written loops",
  async run(job) {
    const { handle, flush } = grouping(job);
    if (job.style === "sync") {
      for (const item of job.items) handle(item);
    } else {
      await asyncLoops(job, handle);
    }
    await flush();
  },
};

async function asyncLoops(job: Job, handle: (item: unknown) => unknown): Promise<void> {
  const { items, concurrency } = job;
  let next = 0;
  const loop = async (): Promise<void> => {
    while (next < items.length) await handle(items[next++]);
  };
  await Promise.all(Array.from({ length: concurrency }, loop));
}
