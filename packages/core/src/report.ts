import type { BatchTrigger } from "./batch.ts";

/** Where a running pipeline stands. */
export type PipelineStatus = "running" | "paused" | "draining" | "stopped" | "failed";

/** What became of every message a pipeline received; the other parts add up to `received`. */
export interface StopReport {
  readonly received: number;
  /** Every branch of it ended well. */
  readonly succeeded: number;
  /** Ran out of policy and was handed back to the source as failed. */
  readonly failed: number;
  /** Ran out of policy and was written to the dead-letter sink. */
  readonly deadLettered: number;
  /** Ended on purpose by `drop`. */
  readonly dropped: number;
  /** Handed back to the source without having been finished. */
  readonly released: number;
  /** Still running when the deadline passed; not acknowledged. */
  readonly abandoned: number;
}

/** Milliseconds, from receipt to settlement. */
export interface LatencyPercentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export interface ProcessorStats {
  readonly concurrency: number;
  /** Messages in a handler now. */
  readonly running: number;
  /** Messages ready for a handler. */
  readonly ready: number;
  /** Messages behind another of their key. */
  readonly blocked: number;
  /** Messages waiting for their next attempt. */
  readonly waiting: number;
  /** Share of the stage's capacity in use over about the last ten seconds, 0 to 1. */
  readonly workload: number;
  readonly retries: number;
}

export interface BatcherStats {
  readonly concurrency: number;
  /** Messages in batches that are still filling. */
  readonly open: number;
  /** Messages in batches waiting for a free batch processor, or behind another batch of their partition. */
  readonly queued: number;
  /** Messages in batches waiting for their next attempt. */
  readonly waiting: number;
  /** Batches in a handler now. */
  readonly running: number;
  readonly workload: number;
  /** Batches emitted so far. */
  readonly batches: number;
  /** Messages in them. */
  readonly messages: number;
  readonly retries: number;
  /** How many batches were emitted for which reason. */
  readonly triggers: Readonly<Record<BatchTrigger, number>>;
}

export interface ProducerStats {
  /** Sessions open now. */
  readonly open: number;
  readonly received: number;
  readonly inFlight: number;
  /** Messages settled and not yet acknowledged, those whose acknowledgement is under way or is tried again, too. */
  readonly unacknowledged: number;
  /** Messages whose acknowledgement the source refused for good. */
  readonly refused: number;
  readonly restarts: number;
  /** Messages left in the source, for all its sessions together, if it knows. */
  readonly remaining: number | undefined;
}

/** A look at a pipeline at one moment. */
export interface PipelineStats extends StopReport {
  readonly status: PipelineStatus;
  /** Messages out of the source and not acknowledged. */
  readonly inFlight: number;
  /** Bytes of them. */
  readonly bytes: number;
  readonly maxInFlight: number;
  readonly maxBytes: number;
  /** Messages a second, received and settled, over about the last ten seconds. */
  readonly rate: { readonly received: number; readonly settled: number };
  readonly latency: LatencyPercentiles;
  readonly producers: Readonly<Record<string, ProducerStats>>;
  readonly processor: ProcessorStats;
  readonly batchers: Readonly<Record<string, BatcherStats>>;
  /** Dead letters whose write has not succeeded yet. */
  readonly deadLettersPending: number;
}

/** The tree of stages, as data. */
export interface PipelineTopology {
  readonly name: string;
  readonly producers: readonly { readonly name: string; readonly concurrency: number }[];
  readonly processor: { readonly concurrency: number };
  readonly batchers: readonly { readonly name: string; readonly concurrency: number }[];
}

/** What became of a pushed message. */
export interface PushOutcome {
  readonly outcome: "succeeded" | "failed" | "deadLettered" | "dropped" | "released" | "abandoned";
  /** What its handler threw, or was given to `fail` or `drop`. */
  readonly reason: unknown;
}
