import type { PartitionKey, RoutedMessage } from "./message.ts";

/** Why a batch was emitted. */
export type BatchTrigger = "size" | "bytes" | "split" | "timeout" | "flush";

/** What a batch handler is told about its batch. */
export interface Batch {
  readonly batcher: string;
  /** The batch key its messages were routed with. */
  readonly key: PartitionKey | undefined;
  /** What the batcher's `partitionBy` gave, if it gave the same for every message of the batch. */
  readonly partition: PartitionKey | undefined;
  /** Number of messages. */
  readonly size: number;
  readonly bytes: number;
  readonly trigger: BatchTrigger;
  /** 1 at the first attempt; a retry and each part of a bisected batch count one more. */
  readonly attempt: number;
}

/**
 * Messages that were emitted together, and what a handler is told about them.
 * @internal
 */
export interface EmittedBatch {
  readonly messages: readonly RoutedMessage[];
  readonly info: Batch;
}
