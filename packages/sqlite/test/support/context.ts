import type { Incoming, ProducerContext, SettledMessage, Settled } from "westend";
import { calendarClock, type CalendarClock } from "./fixtures.ts";

/** What a pipeline gives to a session, with a look at what the session asks of it. */
export interface FakeContext extends ProducerContext {
  readonly clock: CalendarClock;
  wakes: number;
  readonly events: { readonly event: string; readonly fields: unknown }[];
}

export function fakeContext(clock: CalendarClock = calendarClock()): FakeContext {
  const events: FakeContext["events"] = [];
  return {
    pipeline: "test",
    source: "jobs",
    index: 0,
    clock,
    signal: new AbortController().signal,
    wakes: 0,
    events,
    wake() {
      this.wakes += 1;
    },
    revoke: () => Promise.resolve(),
    telemetry: (event, fields) => void events.push({ event, fields }),
  };
}

const settledOf = <Metadata>(
  incoming: Incoming<unknown, Metadata>,
  outcome: SettledMessage["outcome"],
  ackOptions: unknown,
): SettledMessage<Metadata> => ({
  incoming,
  outcome,
  reason: outcome === "failed" ? new Error("it failed") : undefined,
  ackOptions,
});

/** What a session is told about messages that have ended. */
export function settled<Metadata>(
  done: readonly Incoming<unknown, Metadata>[],
  failed: readonly Incoming<unknown, Metadata>[] = [],
  ackOptions?: unknown,
): Settled<Metadata> {
  return {
    succeeded: done.map((each) => settledOf(each, "succeeded", undefined)),
    failed: failed.map((each) => settledOf(each, "failed", ackOptions)),
  };
}
