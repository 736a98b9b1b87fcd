import {
  type Channel,
  channel,
  type TracingChannel,
  tracingChannel,
} from "node:diagnostics_channel";

import type { BatchTrigger } from "./batch.ts";
import type { FailureAction } from "./failure.ts";
import type { StopReport } from "./report.ts";

/** What each channel publishes. Names, numbers and errors only: payloads, keys and metadata never. */
export interface TelemetryEvents {
  /** Every producer is open. */
  "westend:pipeline:started": { pipeline: string };
  /** It ended or was stopped. */
  "westend:pipeline:stopped": { pipeline: string; report: StopReport };
  /** It died. */
  "westend:pipeline:failed": { pipeline: string; error: unknown; report: StopReport };
  "westend:pipeline:paused": { pipeline: string };
  "westend:pipeline:resumed": { pipeline: string };
  /** Limits were changed; `paths` names them. */
  "westend:pipeline:updated": { pipeline: string; paths: readonly string[] };
  /** A drain began. */
  "westend:pipeline:draining": { pipeline: string; timeout: number; inFlight: number };
  "westend:producer:opened": { pipeline: string; source: string; index: number };
  "westend:producer:closed": { pipeline: string; source: string; index: number };
  /** The source has ended. */
  "westend:producer:ended": { pipeline: string; source: string; index: number };
  /** A pull brought messages. Duration in milliseconds. */
  "westend:producer:pulled": {
    pipeline: string;
    source: string;
    index: number;
    messages: number;
    duration: number;
  };
  /** A session broke its contract, or failed in what can be lived with. */
  "westend:producer:error": { pipeline: string; source: string; index: number; error: unknown };
  /** What a connector has to say of itself. */
  "westend:producer:event": {
    pipeline: string;
    source: string;
    index: number;
    event: string;
    fields: Readonly<Record<string, unknown>>;
  };
  /** A message, or a branch of it, failed an attempt; `action` is what becomes of it. */
  "westend:message:failed": {
    pipeline: string;
    source: string;
    batcher: string | undefined;
    attempt: number;
    /** `bisect`: each half of the batch is tried on its own. */
    action: FailureAction | "bisect";
    /** Milliseconds until the next attempt. */
    delay: number;
    error: unknown;
  };
  /** A batch is complete. */
  "westend:batch:emitted": {
    pipeline: string;
    batcher: string;
    size: number;
    bytes: number;
    trigger: BatchTrigger;
  };
  /** `onFailed` threw; the failures take their course. */
  "westend:failure:ignored": { pipeline: string; error: unknown };
  "westend:dead-letter:written": { pipeline: string; letters: number };
  /** Nothing is lost: the write is tried again. */
  "westend:dead-letter:refused": { pipeline: string; letters: number; error: unknown };
  /** Duration in milliseconds. */
  "westend:acknowledge:done": {
    pipeline: string;
    source: string;
    succeeded: number;
    failed: number;
    duration: number;
  };
  /** The source will send these again. */
  "westend:acknowledge:refused": {
    pipeline: string;
    source: string;
    messages: number;
    error: unknown;
  };
  /** A stage crashed and is started again after `delay` milliseconds. */
  "westend:stage:restarting": { pipeline: string; stage: string; delay: number; error: unknown };
}

/** What the tracing channel of a processor's handler carries from start to end. */
export interface HandleContext {
  readonly pipeline: string;
  readonly source: string;
  readonly attempt: number;
  /** Milliseconds since the Unix epoch. */
  readonly receivedAt: number;
  error?: unknown;
}

/** What the tracing channel of a batch handler carries from start to end. */
export interface BatchContext {
  readonly pipeline: string;
  readonly batcher: string;
  readonly size: number;
  readonly bytes: number;
  readonly trigger: BatchTrigger;
  readonly attempt: number;
  error?: unknown;
}

export type TelemetryName = keyof TelemetryEvents;

// Kept: one that nothing refers to may be forgotten together with what Node knows of its subscribers.
const channels: { [Name in TelemetryName]?: Channel } = {};

/** Publishes the rest of an event, where what all events have in common is known. */
export type Publish<Common extends string> = <Name extends TelemetryName>(
  name: Name,
  rest: Omit<TelemetryEvents[Name], Common>,
) => void;

/** Publishes events that have this in common. */
export function publisher<Common extends object>(common: Common): Publish<keyof Common & string> {
  return (name, rest) => {
    const target = (channels[name] ??= channel(name));
    if (target.hasSubscribers) target.publish({ ...common, ...rest });
  };
}

/** Spans of the processor's handler: `tracing:westend:handle:start`, `end`, `asyncStart`, `asyncEnd`, `error`. */
export const handleChannel: TracingChannel<object, HandleContext> =
  tracingChannel("westend:handle");

/** Spans of batch handlers: `tracing:westend:batch:start`, `end`, `asyncStart`, `asyncEnd`, `error`. */
export const batchChannel: TracingChannel<object, BatchContext> = tracingChannel("westend:batch");

/** Whether anybody listens to the spans of a channel. */
export function traced({ hasSubscribers }: { readonly hasSubscribers: boolean }): boolean {
  return hasSubscribers;
}

type Span = HandleContext | BatchContext;

/** Calls with a span around it, and gives back just what the call gave. Where that is awaited, `leave` is to be called in the end. */
export function enter<Context extends Span, Arguments extends unknown[]>(
  { start, end, error }: TracingChannel<object, Context>,
  context: Context,
  call: (...given: Arguments) => unknown,
  ...given: Arguments
): unknown {
  try {
    return start.runStores(context, call, undefined, ...given);
  } catch (reason) {
    context.error = reason;
    error.publish(context);
    throw reason;
  } finally {
    end.publish(context);
  }
}

/** What was awaited has ended; well, unless there is an error. */
export function leave<Context extends Span>(
  { asyncStart, asyncEnd, error }: TracingChannel<object, Context>,
  context: Context,
  failure?: { readonly reason: unknown },
): void {
  if (failure !== undefined) {
    context.error = failure.reason;
    error.publish(context);
  }
  asyncStart.publish(context);
  asyncEnd.publish(context);
}
