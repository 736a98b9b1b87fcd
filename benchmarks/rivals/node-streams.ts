import { Readable } from "node:stream";

import type { Rival } from "../src/rival.ts";
import { grouping } from "./handler.ts";

/**
 * `Readable.from(…).forEach(…)`, which is `map` without its results; the groups by hand.
 * Its buffers are larger than they are unless told otherwise, which makes it twice as fast.
 */
export const nodeStreams: Rival = {
  name: "Node Readable.map",
  async run(job) {
    const { handle, flush } = grouping(job);
    const source = Readable.from(job.items, { highWaterMark: 1024 });
    const options = { concurrency: job.concurrency, highWaterMark: 128 };
    await source.forEach(handle as (item: unknown) => Promise<void>, options);
    await flush();
  },
};
