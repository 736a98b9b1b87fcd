import { constant, definePipeline } from "westend";
import type { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import type { Settings } from "../../../src/topology/topology.ts";
import type { MessagePlan, Moment, Scenario } from "./plan.ts";
import { PlannedBatcher } from "./planned-batcher.ts";
import { PlannedLetters } from "./planned-letters.ts";
import { PlannedProcessor } from "./planned-processor.ts";
import type { PlannedSource } from "./planned-source.ts";

export interface PlannedPipelineOptions {
  readonly clock: VirtualClock;
  readonly scenario: Scenario;
  readonly source: PlannedSource;
  /** What holds now. */
  readonly limits: { readonly concurrency: number };
  readonly batchers: readonly { readonly size: number; readonly concurrency: number }[];
  planOf(id: number): MessagePlan;
  called(what: Moment): void;
  /** A drain is under way. */
  draining(): boolean;
}

/** Defines the pipeline of a scenario. */
export function plannedSettings(options: PlannedPipelineOptions): Settings {
  const { clock, scenario, source, limits, planOf, called, draining } = options;
  const { messages, letters, maxInFlight, maxBytes, rate } = scenario;
  const processor = new PlannedProcessor({
    clock,
    plan: scenario,
    concurrency: () => limits.concurrency,
    called,
    draining,
  });
  const failures = new PlannedLetters({ clock, scenario, called });
  const undecodable = messages.some((message) => message.undecodable > 0);
  const decodes = undecodable || scenario.processor.decoding !== undefined;
  const define = definePipeline as unknown as (options: unknown) => { settings: Settings };
  const { settings } = define({
    name: "scenario",
    producer: { producer: source, concurrency: scenario.source.sessions },
    ...(decodes && {
      decoder: { name: "planned", decode: (id: number) => processor.decode(id, planOf(id)) },
    }),
    processor: processor.options,
    batchers: Object.fromEntries(
      options.batchers.map((now, index) => {
        const batcher = new PlannedBatcher({
          clock,
          name: `b${index}`,
          scenario,
          plan: scenario.batchers[index] as Scenario["batchers"][number],
          concurrency: () => now.concurrency,
          size: () => now.size,
          called,
          draining,
        });
        return [`b${index}`, batcher.options];
      }),
    ),
    onFailed: failures.onFailed.bind(failures),
    deadLetter: letters === undefined ? undefined : failures,
    maxInFlight,
    maxBytes,
    rateLimit: rate === undefined ? undefined : { messages: rate, interval: 40 },
    restart: { max: 50, backoff: constant(20) },
  });
  return settings;
}
