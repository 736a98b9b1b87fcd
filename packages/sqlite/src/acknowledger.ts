import type { Refused, Settled, SettledMessage } from "westend";
import { failureOverrides, refuseLost } from "westend/connector";
import type { LeasedMessage, SqliteMetadata } from "./leased-message.ts";
import { GROUP } from "./pending-work.ts";
import type { OpenedQueue } from "./opened-queue.ts";

type Ended = SettledMessage<SqliteMetadata>;

/** What becomes of failed messages, and whose they were. */
export interface FailurePolicy {
  readonly onFailure: "retry" | "deadLetter";
  /** Milliseconds. */
  readonly retryDelay: number;
  readonly pipeline: string;
  readonly source: string;
}

/** Tells the queue what has ended: successes and failures in one transaction, which may be shared with other acknowledgements. */
export async function acknowledge(
  queue: OpenedQueue,
  settled: Settled<SqliteMetadata>,
  policy: FailurePolicy,
): Promise<Refused<SqliteMetadata> | undefined> {
  const all = [...settled.succeeded, ...settled.failed];
  const lost: LeasedMessage[] = [];
  for (let start = 0; start < all.length; start += GROUP) {
    const group = all.slice(start, start + GROUP);
    const work = (): LeasedMessage[] => apply(queue, group, policy);
    lost.push(...(await queue.connection.write(work, { weight: group.length })));
  }
  queue.enqueued();
  return refuseLost(settled, lost);
}

function apply(
  queue: OpenedQueue,
  group: readonly Ended[],
  policy: FailurePolicy,
): LeasedMessage[] {
  const done: LeasedMessage[] = [];
  const lost: LeasedMessage[] = [];
  for (const ended of group) {
    const message = ended.incoming as LeasedMessage;
    if (ended.outcome !== "failed") {
      done.push(message);
      continue;
    }
    const overrides = failureOverrides(ended.ackOptions);
    const onFailure = overrides.onFailure ?? policy.onFailure;
    const retryDelay = overrides.retryDelay ?? policy.retryDelay;
    if (onFailure === "retry")
      lost.push(...queue.settlement.retry([message], queue.now + Math.ceil(retryDelay)));
    else if (!queue.bury(message, policy, ended.reason)) lost.push(message);
  }
  lost.push(...queue.settlement.remove(done));
  return lost;
}
