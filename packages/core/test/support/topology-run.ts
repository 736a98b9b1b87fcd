import {
  type BatcherOptions,
  definePipeline,
  type Message,
  type PipelineOptions,
  type ProcessorOptions,
  type Producer,
  type StopReport,
} from "westend";
import { type VirtualClock, virtualClock } from "../../src/testing/virtual-clock.ts";
import { Topology } from "../../src/topology/topology.ts";
import { sumOf } from "./stopping.ts";

type Source<Data> = Producer<Data, undefined>;

/** The options of a pipeline as plain JavaScript sees them: a handler may return anything. */
export interface LooseOptions<Data> extends Omit<
  PipelineOptions<Source<Data>, Data, never>,
  "name" | "producer" | "processor" | "batchers" | "decoder"
> {
  readonly producer: Source<Data>;
  readonly decoder?: { readonly name: string; decode(payload: Data): unknown };
  readonly processor: Omit<ProcessorOptions<Data, undefined, unknown>, "handle" | "partitionBy"> & {
    partitionBy?(message: Message<Data, undefined>): unknown;
    handle(message: Message<Data, undefined>, signal: AbortSignal): unknown;
  };
  readonly batchers?: Readonly<Record<string, BatcherOptions<unknown, undefined>>>;
}

export interface RunOptions {
  readonly clock?: VirtualClock;
  readonly random?: () => number;
}

/** A running pipeline with its ledger in view. */
export interface TopologyRun {
  readonly clock: VirtualClock;
  readonly topology: Topology;
  /** Moves the clock on until the pipeline has ended; throws if it hangs, or if a message went missing. */
  end(): Promise<StopReport>;
}

/** Starts a pipeline on virtual time. */
export async function startTopology<Data>(
  options: LooseOptions<Data>,
  { clock = virtualClock(), random = () => 0.5 }: RunOptions = {},
): Promise<TopologyRun> {
  const define = definePipeline as unknown as (options: unknown) => {
    settings: ConstructorParameters<typeof Topology>[0];
  };
  const { settings } = define({ name: "test", ...options });
  const topology = new Topology(settings, { clock, random, ended: () => {} });
  const outcome: { report?: StopReport; error?: unknown } = {};
  topology.done.then(
    (report) => (outcome.report = report),
    (error) => (outcome.error = error),
  );
  const over = (): boolean => "report" in outcome || "error" in outcome;
  await topology.start();
  return {
    clock,
    topology,
    async end() {
      await clock.settle();
      while (!over() && (await clock.next()));
      if (!over()) throw new Error(`The pipeline hangs: ${JSON.stringify(topology.stats())}`);
      if (outcome.report === undefined) throw outcome.error;
      const { report } = outcome;
      if (sumOf(report) !== report.received) {
        throw new Error(`The report does not add up: ${JSON.stringify(report)}`);
      }
      if (topology.violations > 0) {
        throw new Error(`The ledger has refused ${topology.violations} step(s).`);
      }
      return report;
    },
  };
}

/** Starts a pipeline and lets it come to its end. */
export async function runTopology<Data>(
  options: LooseOptions<Data>,
  runOptions?: RunOptions,
): Promise<StopReport> {
  const run = await startTopology(options, runOptions);
  return run.end();
}
