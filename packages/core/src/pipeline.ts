import { withDefaults } from "./defaults.ts";
import type { AnySource, Checked, MetadataOf, PayloadOf, PipelineOptions } from "./definition.ts";
import { checkPipelineOptions } from "./pipeline-options.ts";
import { Running, type RunningPipeline, type StartOptions } from "./running-pipeline.ts";
import type { Settings } from "./topology/topology.ts";

declare const types: unique symbol;

/** An immutable description of a pipeline; it starts nothing and can be started many times. */
export interface Pipeline<Payload, Metadata, Data, Out> {
  readonly name: string;
  /**
   * Opens the producers and begins to take messages; resolves when every producer is open.
   * @throws ProducerError if one cannot be opened
   */
  start(options?: StartOptions): Promise<RunningPipeline<Payload, Metadata, Out>>;
  /** @internal */
  readonly settings: Settings;
  /** For the compiler only. */
  readonly [types]?: { readonly data: Data; readonly out: Out };
}

/**
 * Describes a pipeline: where messages come from, what is done to each, how they are grouped, and where they go.
 * @throws ConfigurationError listing every mistake in the options
 * @example
 * ```ts
 * const pipeline = definePipeline({
 *   name: "events",
 *   producer: fromIterable(['{"id":1}', '{"id":2}']),
 *   decoder: json(),
 *   processor: {
 *     handle: (message) => message.to("log"),
 *   },
 *   batchers: {
 *     log: { size: 100, timeout: 500, handle: (messages) => console.log(messages.length) },
 *   },
 * });
 * await using running = await pipeline.start();
 * await running.done;
 * ```
 */
export function definePipeline<Source extends AnySource, Out, Data = PayloadOf<Source>>(
  options: PipelineOptions<Source, Data, Out> & Checked<Out, Source>,
): Pipeline<PayloadOf<Source>, MetadataOf<Source>, Data, Out> {
  checkPipelineOptions(options);
  const settings = withDefaults(options as PipelineOptions<AnySource, unknown, never>);
  return Object.freeze({
    name: settings.name,
    settings,
    start: (startOptions: StartOptions = {}) =>
      Running.start<PayloadOf<Source>, MetadataOf<Source>, Out>(settings, startOptions),
  });
}
