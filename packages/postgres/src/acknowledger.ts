import type { Refused, Settled, SettledMessage } from "westend";
import { failureOverrides, refuseLost } from "westend/connector";
import type { LeasedMessage, PostgresMetadata } from "./leased-message.ts";
import type { Run } from "./database.ts";
import type { PostgresQueue } from "./queue.ts";

/** What becomes of failed messages, and whose they were. */
export interface FailurePolicy {
  readonly onFailure: "retry" | "deadLetter";
  /** Milliseconds. */
  readonly retryDelay: number;
  readonly pipeline: string;
  readonly source: string;
}

/** Tells the queue what has ended; where there are failures too, in one transaction. */
export async function acknowledge(
  queue: PostgresQueue,
  settled: Settled<PostgresMetadata>,
  policy: FailurePolicy,
): Promise<Refused<PostgresMetadata> | undefined> {
  const { succeeded, failed } = settled;
  const lost =
    failed.length === 0
      ? await queue.acknowledge(succeeded.map(leased))
      : await queue.settle((run) => settleAll(queue, run, settled, policy));
  return refuseLost(settled, lost);
}

async function settleAll(
  { settlement }: PostgresQueue,
  run: Run,
  { succeeded, failed }: Settled<PostgresMetadata>,
  policy: FailurePolicy,
): Promise<LeasedMessage[]> {
  const lost = await settlement.remove(run, succeeded.map(leased));
  const delayed = new Map<number, LeasedMessage[]>();
  for (const ended of failed) {
    const overrides = failureOverrides(ended.ackOptions);
    if ((overrides.onFailure ?? policy.onFailure) === "deadLetter") {
      lost.push(...(await settlement.bury(run, leased(ended), policy, ended.reason)));
      continue;
    }
    const delay = overrides.retryDelay ?? policy.retryDelay;
    delayed.set(delay, [...(delayed.get(delay) ?? []), leased(ended)]);
  }
  for (const [delay, messages] of delayed) {
    lost.push(...(await settlement.retry(run, messages, delay)));
  }
  return lost;
}

const leased = ({ incoming }: SettledMessage<PostgresMetadata>): LeasedMessage =>
  incoming as LeasedMessage;
