import type { TelemetryName } from "westend";

/** Every channel, in the order of the code. */
export const TELEMETRY_NAMES: readonly TelemetryName[] = [
  "westend:pipeline:started",
  "westend:pipeline:stopped",
  "westend:pipeline:failed",
  "westend:pipeline:paused",
  "westend:pipeline:resumed",
  "westend:pipeline:updated",
  "westend:pipeline:draining",
  "westend:producer:opened",
  "westend:producer:closed",
  "westend:producer:ended",
  "westend:producer:pulled",
  "westend:producer:error",
  "westend:producer:event",
  "westend:message:failed",
  "westend:batch:emitted",
  "westend:failure:ignored",
  "westend:dead-letter:written",
  "westend:dead-letter:refused",
  "westend:acknowledge:done",
  "westend:acknowledge:refused",
  "westend:stage:restarting",
];
