import Queue from "p-queue";

import type { Rival } from "../src/rival.ts";
import { grouping } from "./handler.ts";

/** All is queued at once: filling it as it empties (`onSizeLessThan`) is a little slower. */
export const pQueue: Rival = {
  name: "p-queue",
  package: "p-queue",
  async run(job) {
    const { handle, flush } = grouping(job);
    const queue = new Queue({ concurrency: job.concurrency });
    for (const item of job.items) void queue.add(() => handle(item));
    await queue.onIdle();
    await flush();
  },
};
