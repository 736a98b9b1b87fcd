import type { Job } from "../src/rival.ts";

/** The handler as users write it where a library takes a function of the item. */
export function handlerOf(job: Job): (item: unknown) => unknown {
  const { style, wait, work } = job;
  if (style === "sync") return (item) => work(item);
  if (wait === undefined) return async (item) => work(item);
  return async (item) => {
    await wait(item);
    return work(item);
  };
}

/** How a batch is written: by an async function, unless everything is sync. */
export function writerOf(job: Job): (batch: readonly unknown[]) => unknown {
  const write = job.batch?.write ?? (() => {});
  return job.style === "sync" ? (batch) => write(batch) : async (batch) => write(batch);
}

/** A handler that groups by itself, as users write it for libraries that cannot; `flush` writes the rest. */
export function grouping(job: Job): { handle(item: unknown): unknown; flush(): unknown } {
  const { batch: batchJob } = job;
  if (batchJob === undefined) return { handle: handlerOf(job), flush: () => {} };
  const { size } = batchJob;
  const { style, wait, work } = job;
  const write = writerOf(job);
  let batch: unknown[] = [];
  const flush = (): unknown => {
    const full = batch;
    batch = [];
    return full.length === 0 ? undefined : write(full);
  };
  const add = (item: unknown): boolean => batch.push(work(item)) >= size;
  if (style === "sync") {
    return {
      handle: (item) => {
        if (add(item)) flush();
      },
      flush,
    };
  }
  const handle = async (item: unknown): Promise<void> => {
    if (wait !== undefined) await wait(item);
    if (add(item)) await flush();
  };
  return { handle, flush };
}
