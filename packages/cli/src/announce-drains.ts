import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { TelemetryEvents } from "westend";
import type { Reporter } from "./reporter.ts";

const CHANNEL = "westend:pipeline:draining";

/** Tells of every drain that begins while `wanted`, until the function it gives is called. */
export function announceDrains(reporter: Reporter, wanted: () => boolean): () => void {
  const listener = (event: unknown): void => {
    const { pipeline, timeout, inFlight } = event as TelemetryEvents[typeof CHANNEL];
    if (wanted()) reporter.draining(pipeline, timeout, inFlight);
  };
  subscribe(CHANNEL, listener);
  return () => unsubscribe(CHANNEL, listener);
}
