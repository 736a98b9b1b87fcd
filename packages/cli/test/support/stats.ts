import type { BatcherStats, PipelineStats, ProducerStats } from "westend";

const PRODUCER: ProducerStats = {
  open: 1,
  received: 0,
  inFlight: 0,
  unacknowledged: 0,
  refused: 0,
  restarts: 0,
  remaining: undefined,
};

/** The stats of a batcher that has nothing, but for the changes. */
export function batcherWith(changes: Partial<BatcherStats> = {}): BatcherStats {
  return {
    concurrency: 2,
    open: 0,
    queued: 0,
    waiting: 0,
    running: 0,
    workload: 0,
    batches: 0,
    messages: 0,
    retries: 0,
    triggers: { size: 0, bytes: 0, split: 0, timeout: 0, flush: 0 },
    ...changes,
  };
}

/** The stats of a pipeline that has done nothing yet, but for the changes. */
export function statsWith(
  changes: Partial<PipelineStats> = {},
  ...remaining: (number | undefined)[]
): PipelineStats {
  return {
    received: 0,
    succeeded: 0,
    failed: 0,
    deadLettered: 0,
    dropped: 0,
    released: 0,
    abandoned: 0,
    status: "running",
    inFlight: 0,
    bytes: 0,
    maxInFlight: 100,
    maxBytes: 1024,
    rate: { received: 0, settled: 0 },
    latency: { p50: 0, p90: 0, p99: 0, max: 0 },
    producers: Object.fromEntries(
      remaining.map((left, index) => [`source${index}`, { ...PRODUCER, remaining: left }]),
    ),
    processor: {
      concurrency: 10,
      running: 0,
      ready: 0,
      blocked: 0,
      waiting: 0,
      workload: 0,
      retries: 0,
    },
    batchers: {},
    deadLettersPending: 0,
    ...changes,
  };
}
