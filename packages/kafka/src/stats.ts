import type { TopicPartition } from "./client.ts";
import type { Partition } from "./partition.ts";

/** How far a partition has come. Offsets are those of the log. */
export interface PartitionStats extends TopicPartition {
  /** What the group has committed. */
  readonly committed: bigint;
  /** Behind everything that was handed over. */
  readonly position: bigint;
  /** Behind the last message there is, as far as is known. */
  readonly end: bigint;
  /** Messages that have not ended, gaps in the offsets included. */
  readonly lag: number;
  /** Handed over and not ended. */
  readonly inFlight: number;
  /** Milliseconds since the oldest message that was taken and has not ended was produced; 0 if there is none. */
  readonly oldestAge: number;
  /** The offset of that message. */
  readonly oldestOffset: bigint | undefined;
  /** Messages that were passed over because they had been done before a restart or a rebalance. */
  readonly skipped: number;
  readonly paused: boolean;
  /** Nothing of it is under way, and its next message is not due yet (`delayed`). */
  readonly delayed: boolean;
}

export function statsOf(partition: Partition, date: number): PartitionStats {
  const { topic, partition: number, tracker, end, paused, delayed } = partition;
  const { oldest } = tracker;
  return {
    topic,
    partition: number,
    committed: BigInt(tracker.committed),
    position: BigInt(tracker.position),
    end: BigInt(end),
    lag: Math.max(0, end - tracker.low),
    inFlight: tracker.outstanding,
    oldestAge: oldest === undefined ? 0 : Math.max(0, date - oldest.timestamp),
    oldestOffset: oldest && BigInt(oldest.offset),
    skipped: tracker.skipped,
    paused,
    delayed: delayed && tracker.outstanding === 0,
  };
}
