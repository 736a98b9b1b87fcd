import { Effect, Stream } from "effect";

import type { Rival } from "../src/rival.ts";
import { handlerOf, writerOf } from "./handler.ts";

/** `mapEffect` for async handlers (in order: unordered is no faster), `map` for sync ones; `grouped` for the groups. */
export const effectStream: Rival = {
  name: "Effect Stream",
  package: "effect",
  async run(job) {
    const handle = handlerOf(job);
    const { concurrency, style } = job;
    const source = Stream.fromArray(job.items);
    const handled =
      style === "sync"
        ? source.pipe(Stream.map(handle))
        : source.pipe(
            Stream.mapEffect((item) => Effect.promise(() => handle(item) as Promise<unknown>), {
              concurrency,
            }),
          );
    const { batch } = job;
    if (batch === undefined) return Effect.runPromise(Stream.runDrain(handled));
    const write = writerOf(job);
    const written = handled.pipe(
      Stream.grouped(batch.size),
      Stream.runForEach((full) =>
        style === "sync"
          ? Effect.sync(() => void write(full))
          : Effect.promise(() => write(full) as Promise<unknown>),
      ),
    );
    return Effect.runPromise(written);
  },
};
