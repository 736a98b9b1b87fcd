import { batch, consume, transform } from "streaming-iterables";

import type { Rival } from "../src/rival.ts";
import { handlerOf, writerOf } from "./handler.ts";

/** `transform` for the handlers (unordered), its own `batch` for the groups. */
export const streamingIterables: Rival = {
  name: "streaming-iterables",
  package: "streaming-iterables",
  async run(job) {
    const handle = handlerOf(job);
    const handled = transform(
      job.concurrency,
      (item) => handle(item) as Promise<unknown>,
      job.items,
    );
    if (job.batch === undefined) return consume(handled);
    const write = writerOf(job);
    for await (const full of batch(job.batch.size, handled)) await write(full);
  },
};
