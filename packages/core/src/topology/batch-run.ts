import type { Batch } from "../batch.ts";
import { type PartitionKey, RoutedMessage } from "../message.ts";
import type { Holder } from "./partition-order.ts";

/** One batch on its way through the handler, over retries; a part of it is a run of its own. */
export interface Run extends Holder {
  messages: readonly RoutedMessage[];
  /** The same, as the handler of this attempt sees them. */
  seen: readonly RoutedMessage[];
  readonly info: Batch;
  attempt: number;
}

/** Messages of one batch, all of them or what is left, for one attempt. */
export function runOf(messages: readonly RoutedMessage[], info: Batch, attempt: number): Run {
  const keys = partitionsOf(messages);
  return { messages, seen: messages, info, attempt, keys, blockers: 0 };
}

/** What the handler is told of this attempt. */
export function describe(
  { info, messages, attempt }: Run,
  sizeOf: (message: RoutedMessage) => number,
): Batch {
  const size = messages.length;
  const bytes =
    size === info.size ? info.bytes : messages.reduce((sum, one) => sum + sizeOf(one), 0);
  const partition = sharedPartition(messages);
  return Object.assign(Object.create(SHOWN) as Batch, { ...info, size, bytes, partition, attempt });
}

/** Keys may be personal data: a batch that is logged does not show them. */
const SHOWN = Object.defineProperty({}, Symbol.for("nodejs.util.inspect.custom"), {
  value(this: Batch): unknown {
    const { batcher, size, bytes, trigger, attempt } = this;
    return { batcher, size, bytes, trigger, attempt };
  },
});

const NO_KEYS: ReadonlySet<PartitionKey> = new Set();

function partitionsOf(messages: readonly RoutedMessage[]): ReadonlySet<PartitionKey> {
  let keys: Set<PartitionKey> | undefined;
  for (const { partition } of messages) {
    if (partition === undefined) continue;
    keys ??= new Set();
    keys.add(partition);
  }
  return keys ?? NO_KEYS;
}

/** The partition of all of them, if they have the same. */
function sharedPartition(messages: readonly RoutedMessage[]): PartitionKey | undefined {
  const partition = messages[0]?.partition;
  return messages.every((message) => Object.is(message.partition, partition))
    ? partition
    : undefined;
}

/** A new object: what a late handler says to the old one no longer counts. */
export function renewed(message: RoutedMessage): RoutedMessage {
  const { data, attempt, origin, batcher, options } = message;
  const copy = new RoutedMessage(data, attempt, origin, batcher, options);
  copy.partition = message.partition;
  return copy;
}

/** Neither judged by their handler nor frozen. */
export function areUntouched(messages: readonly RoutedMessage[]): boolean {
  for (const message of messages) {
    if (message.verdict !== undefined || !isWritable(message)) return false;
  }
  return true;
}

/** Has no other try before it, and is not frozen. */
export function isFinished(message: RoutedMessage): boolean {
  return message.verdict !== "failed" && isWritable(message);
}

/** Found by writing to it: asking whether it is frozen costs more. */
function isWritable(message: RoutedMessage): boolean {
  const { reason } = message;
  try {
    message.reason = reason;
    return true;
  } catch {
    return false;
  }
}
