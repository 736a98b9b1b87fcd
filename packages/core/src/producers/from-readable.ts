import type { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";

import type { Producer } from "../producer.ts";
import { fromIterable, type FromIterableOptions, type IterableMetadata } from "./from-iterable.ts";

/**
 * Reads a Node or web stream, chunk by chunk, as fast as the pipeline has room; beyond that the stream's own high-water mark holds.
 * Its end ends the pipeline, its error fails it. A stream can be read once; when the pipeline stops, the stream is closed.
 */
export function fromReadable<Chunk = Uint8Array>(
  stream: Readable | ReadableStream<Chunk>,
  options: FromIterableOptions = {},
): Producer<Chunk, IterableMetadata> {
  const { name = "readable" } = options;
  const producer = fromIterable<Chunk>({ [Symbol.asyncIterator]: () => read(stream) }, { name });
  let reader: AbortSignal | undefined;
  return {
    name,
    open(context) {
      reader ??= context.signal;
      if (reader !== context.signal) {
        throw new Error("A stream can be read once. Make a new one for each run of the pipeline.");
      }
      return producer.open(context);
    },
  };
}

/** The streams' own iterators close only once the chunk they wait for has come, which may be never. */
function read<Chunk>(stream: Readable | ReadableStream<Chunk>): AsyncIterator<Chunk> {
  if ("getReader" in stream) {
    const reader = stream.getReader();
    return {
      next: () => reader.read() as Promise<IteratorResult<Chunk>>,
      async return() {
        await reader.cancel();
        return { done: true, value: undefined };
      },
    };
  }
  const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Chunk>;
  return {
    next: () => iterator.next(),
    async return() {
      stream.destroy();
      return { done: true, value: undefined };
    },
  };
}
