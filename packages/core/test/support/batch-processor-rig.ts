import type { Batch, EmittedBatch } from "../../src/batch.ts";
import type { FailureAction } from "../../src/failure.ts";
import type { RoutedMessage } from "../../src/message.ts";
import { type VirtualClock, virtualClock } from "../../src/testing/virtual-clock.ts";
import {
  BatchProcessorStage,
  type BatchProcessorStageOptions,
} from "../../src/topology/batch-processor-stage.ts";
import { type Deferred, deferred } from "./deferred.ts";
import { routed } from "./routed.ts";

/** One call of the handler; it lasts until the test ends it. */
export interface Call extends Deferred<unknown> {
  readonly messages: readonly RoutedMessage[];
  readonly data: unknown[];
  readonly batch: Batch;
  readonly signal: AbortSignal;
}

/** A batch processor stage whose handler does what the test says, and everything that becomes of its messages. */
export interface BatchProcessorRig {
  readonly stage: BatchProcessorStage;
  readonly clock: VirtualClock;
  readonly calls: Call[];
  readonly succeeded: unknown[];
  readonly gaveUp: { data: unknown; reason: unknown; action: FailureAction; attempt: number }[];
  /** What the calls were given, in order. */
  readonly handled: () => unknown[][];
}

export function batchProcessorRig(
  options: Partial<BatchProcessorStageOptions> & {
    /** Runs instead of waiting for the test. */
    handler?(messages: readonly RoutedMessage[], batch: Batch, signal: AbortSignal): unknown;
  } = {},
): BatchProcessorRig {
  const { handler, ...rest } = options;
  const clock = virtualClock();
  const calls: Call[] = [];
  const succeeded: unknown[] = [];
  const gaveUp: BatchProcessorRig["gaveUp"] = [];
  const stage = new BatchProcessorStage({
    clock,
    name: "b",
    concurrency: 1,
    handleTimeout: undefined,
    bisect: false,
    ownSignal: true,
    partitionBy: undefined,
    sizeOf: ({ options: route }) => route?.size ?? 0,
    handle(messages, batch, signal) {
      const call = { ...deferred<unknown>(), messages, batch, signal };
      calls.push({ ...call, data: messages.map(({ data }) => data) });
      return handler === undefined ? call.promise : handler(messages, batch, signal);
    },
    decide: () => ({ action: "fail", delay: 0 }),
    failed() {},
    replace() {},
    start: (messages) => messages,
    wait: () => true,
    release() {},
    succeeded: (messages) => void succeeded.push(...messages.map(({ data }) => data)),
    gaveUp: ({ data }, reason, action, attempt) =>
      void gaveUp.push({ data, reason, action, attempt }),
    advance() {},
    crashed(error) {
      throw error;
    },
    ...rest,
  });
  return { stage, clock, calls, succeeded, gaveUp, handled: () => calls.map(({ data }) => data) };
}

/** A batch as a batcher emits it. */
export function emitted(...messages: readonly RoutedMessage[]): EmittedBatch {
  return {
    messages,
    info: {
      batcher: "b",
      key: undefined,
      partition: undefined,
      size: messages.length,
      bytes: messages.reduce((sum, { options }) => sum + (options?.size ?? 0), 0),
      trigger: "size",
      attempt: 1,
    },
  };
}

/** The same, of messages that carry nothing but their data. */
export function batchOf(...data: readonly unknown[]): EmittedBatch {
  return emitted(...data.map((one) => routed(one)));
}

/** Retries so often, after so many milliseconds; then `exhausted`. */
export function retrying(
  attempts: number,
  delay: number,
  exhausted: FailureAction = "fail",
): BatchProcessorStageOptions["decide"] {
  return (_, attempt) => ({ action: attempt < attempts ? "retry" : exhausted, delay });
}
