import type { EmittedBatch } from "../../src/batch.ts";
import { type VirtualClock, virtualClock } from "../../src/testing/virtual-clock.ts";
import { BatcherStage, type BatcherStageOptions } from "../../src/topology/batcher-stage.ts";

/** A batcher stage and everything it does. */
export interface BatcherRig {
  readonly stage: BatcherStage;
  readonly clock: VirtualClock;
  readonly batches: EmittedBatch[];
  /** What was emitted: the trigger, then the data in order. */
  readonly emitted: unknown[][];
  readonly failures: { data: unknown; error: unknown }[];
}

export function batcherRig(options: Partial<BatcherStageOptions> = {}): BatcherRig {
  const clock = virtualClock();
  const batches: EmittedBatch[] = [];
  const emitted: unknown[][] = [];
  const failures: { data: unknown; error: unknown }[] = [];
  const stage = new BatcherStage({
    clock,
    name: "b",
    size: 3,
    bytes: undefined,
    timeout: 100,
    weight: undefined,
    splitBy: undefined,
    sizeOf: ({ options: route }) => route?.size ?? 0,
    emit(batch) {
      batches.push(batch);
      emitted.push([batch.info.trigger, ...batch.messages.map(({ data }) => data)]);
    },
    failed: ({ data }, error) => void failures.push({ data, error }),
    crashed(error) {
      throw error;
    },
    ...options,
  });
  return { stage, clock, batches, emitted, failures };
}
