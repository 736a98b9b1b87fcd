import {
  bufferCount,
  concatMap,
  from,
  lastValueFrom,
  map,
  mergeMap,
  type Observable,
  of,
} from "rxjs";

import type { Rival } from "../src/rival.ts";
import { handlerOf, writerOf } from "./handler.ts";

/** `mergeMap` with a limit for async handlers, plain `map` for sync ones; `bufferCount` for the groups. */
export const rxjs: Rival = {
  name: "RxJS",
  package: "rxjs",
  async run(job) {
    const handle = handlerOf(job);
    const { concurrency, style } = job;
    const source = from(job.items as unknown[]);
    const handled: Observable<unknown> =
      style === "sync"
        ? source.pipe(map(handle))
        : source.pipe(mergeMap((item) => handle(item) as Promise<unknown>, concurrency));
    const written =
      job.batch === undefined ? handled : handled.pipe(bufferCount(job.batch.size), writing(job));
    await lastValueFrom(written, { defaultValue: undefined });
  },
};

function writing(job: Parameters<Rival["run"]>[0]) {
  const write = writerOf(job);
  return concatMap((batch: unknown[]) =>
    job.style === "sync" ? of(write(batch)) : (write(batch) as Promise<unknown>),
  );
}
