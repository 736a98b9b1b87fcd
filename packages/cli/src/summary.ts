import { batchingOf, type Look, remainingOf } from "./look.ts";
import { count, duration, rate } from "./wording.ts";

/** What a pipeline is doing, on one line. */
export function summaryLine({ stats }: Look): string {
  const { status, inFlight, maxInFlight, failed, deadLettered, latency, processor } = stats;
  const batching = batchingOf(stats);
  const remaining = remainingOf(stats);
  const parts = [
    `in ${rate(stats.rate.received)}`,
    `out ${rate(stats.rate.settled)}`,
    `in flight ${count(inFlight)}/${count(maxInFlight)}`,
    `failed ${count(failed)}`,
    `dead-lettered ${count(deadLettered)}`,
    `p99 ${duration(latency.p99)}`,
  ];
  if (processor.retries > 0) parts.push(`retries ${count(processor.retries)}`);
  if (batching !== undefined) parts.push(`batches ${count(batching.batches)}`);
  if (remaining !== undefined) parts.push(`remaining ${count(remaining)}`);
  if (status !== "running") parts.push(status);
  return parts.join("  ");
}
