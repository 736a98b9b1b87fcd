import type { PipelineStats } from "westend";

/** How a pipeline ended, or that it has not. */
export type Ending = "running" | "ended" | "drained" | "died" | "given up";

/** A pipeline at one moment. */
export interface Look {
  readonly pipeline: string;
  readonly ending: Ending;
  /** Milliseconds since it was started, until it ended. */
  readonly elapsed: number;
  readonly stats: PipelineStats;
}

/** Messages that have ended one way or the other. */
export function settledOf({ succeeded, failed, deadLettered, dropped }: PipelineStats): number {
  return succeeded + failed + deadLettered + dropped;
}

/** Messages left in all sources; undefined if one of them does not know. */
export function remainingOf({ producers }: PipelineStats): number | undefined {
  let sum = 0;
  for (const { remaining } of Object.values(producers)) {
    if (remaining === undefined) return undefined;
    sum += remaining;
  }
  return Object.keys(producers).length === 0 ? undefined : sum;
}

/** How much batching did: batches emitted, the messages in them, and the writes it saved. */
export interface Batching {
  readonly batches: number;
  readonly messages: number;
  /** One write for each message would have been so many more. */
  readonly writesSaved: number;
}

/** All batchers of a pipeline together; undefined if it has none. */
export function batchingOf({ batchers }: PipelineStats): Batching | undefined {
  const all = Object.values(batchers);
  if (all.length === 0) return undefined;
  const batches = all.reduce((sum, batcher) => sum + batcher.batches, 0);
  const messages = all.reduce((sum, batcher) => sum + batcher.messages, 0);
  return { batches, messages, writesSaved: Math.max(0, messages - batches) };
}
