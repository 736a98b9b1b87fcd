import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { TelemetryEvents, TelemetryName } from "westend";
import { TELEMETRY_NAMES } from "./telemetry-names.ts";

export interface Recorded<Name extends TelemetryName = TelemetryName> {
  readonly name: Name;
  readonly event: TelemetryEvents[Name];
}

export interface TelemetryRecorder extends Disposable {
  readonly all: readonly Recorded[];
  /** What one channel has published. */
  of<Name extends TelemetryName>(name: Name): TelemetryEvents[Name][];
}

/** Keeps what every channel publishes about one pipeline until it is disposed. */
export function recordTelemetry(pipeline: string): TelemetryRecorder {
  const all: Recorded[] = [];
  const stops = TELEMETRY_NAMES.map((name) => {
    const listener = (event: unknown): void => {
      const published = event as TelemetryEvents[TelemetryName];
      if (published.pipeline === pipeline) all.push({ name, event: published });
    };
    subscribe(name, listener);
    return () => unsubscribe(name, listener);
  });
  return {
    all,
    of: <Name extends TelemetryName>(name: Name) =>
      all.filter((one) => one.name === name).map(({ event }) => event as TelemetryEvents[Name]),
    [Symbol.dispose]: () => {
      for (const stop of stops) stop();
    },
  };
}
