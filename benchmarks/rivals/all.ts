import type { Rival } from "../src/rival.ts";
import { asyncEachLimit } from "./async.ts";
import { effectStream } from "./effect.ts";
import { fastq } from "./fastq.ts";
import { nodeStreams } from "./node-streams.ts";
import { pMap } from "./p-map.ts";
import { pQueue } from "./p-queue.ts";
import { rxjs } from "./rxjs.ts";
import { streamingIterables } from "./streaming-iterables.ts";

/** What comes with Node or from npm; the loops are apart, as they promise nothing. */
export const libraries: readonly Rival[] = [
  streamingIterables,
  asyncEachLimit,
  fastq,
  pMap,
  pQueue,
  nodeStreams,
  effectStream,
  rxjs,
];
