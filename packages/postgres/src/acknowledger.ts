import type { Refused, Settled, SettledMessage } from "westend";
import type { LeasedMessage, PostgresAckOptions, PostgresMetadata } from "./leased-message.ts";
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
  if (lost.length === 0) return undefined;
  const theirs = new Set<unknown>(lost);
  const refused = [...succeeded, ...failed].filter(({ incoming }) => theirs.has(incoming));
  return { refused, reason: new LeaseLost(), final: true };
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
    const overrides = overridesOf(ended.ackOptions);
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

/** What was given to `configureAck`, as far as it makes sense: an acknowledgement is not the place to throw. */
function overridesOf(options: unknown): PostgresAckOptions {
  if (typeof options !== "object" || options === null) return {};
  const { onFailure, retryDelay } = options as PostgresAckOptions;
  return {
    onFailure: onFailure === "retry" || onFailure === "deadLetter" ? onFailure : undefined,
    retryDelay:
      typeof retryDelay === "number" && retryDelay >= 0
        ? Math.min(retryDelay, Number.MAX_SAFE_INTEGER / 4)
        : undefined,
  };
}

class LeaseLost extends Error {
  override readonly name = "LeaseLost";
  constructor() {
    super("The lease had run out and somebody else has the message; it is handled again there");
  }
}
