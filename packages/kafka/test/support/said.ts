import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { TelemetryEvents } from "westend";

type Said = TelemetryEvents["westend:producer:event"];

/** What sources say of themselves while `run` runs, by the name of the event. */
export async function listening<Result>(
  run: (said: (event: string) => readonly Said["fields"][]) => Promise<Result>,
): Promise<Result> {
  const all: Said[] = [];
  const listen = (message: unknown): void => void all.push(message as Said);
  subscribe("westend:producer:event", listen);
  try {
    return await run((event) =>
      all.filter((one) => one.event === event).map(({ fields }) => fields),
    );
  } finally {
    unsubscribe("westend:producer:event", listen);
  }
}
