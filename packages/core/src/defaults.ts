import type { AnySource, BatcherOptions, PipelineOptions, SourceOptions } from "./definition.ts";
import type { Backoff } from "./failure.ts";
import type { BatcherSettings, Settings, SourceSettings } from "./topology/topology.ts";

/** The types have done their work: from here on data is `unknown`. */
type Options = PipelineOptions<AnySource, unknown, never>;

/** As `exponential` has it, which every bundle would carry for this. */
const RESTART: Backoff = { delay: (attempt) => Math.min(5000, 100 * 2 ** (attempt - 1)) };

/** The options of a pipeline, checked before, with every default filled in. */
export function withDefaults(options: Options): Settings {
  const { processor, restart, shutdown } = options;
  const concurrency = processor.concurrency ?? 10;
  const batchers = Object.fromEntries(
    Object.entries<BatcherOptions<unknown, unknown>>(options.batchers ?? {}).map(
      ([name, batcher]) => [name, settleBatcher(batcher)],
    ),
  );
  // While batches are being written the next ones fill: nobody waits for messages that wait for room.
  const filling = Object.values(batchers).reduce(
    (sum, batcher) => sum + batcher.size * batcher.concurrency * 2,
    0,
  );
  return {
    name: options.name,
    sources: settleSources(options),
    decoder: options.decoder,
    processor: {
      concurrency,
      retry: processor.retry,
      timeout: processor.timeout,
      ownSignal: processor.handle.length > 1,
      user: {
        self: processor,
        partitionBy: processor.partitionBy,
        prepare: processor.prepare,
        handle: processor.handle,
      },
    },
    batchers,
    deadLetter: options.deadLetter,
    onFailed: options.onFailed?.bind(options),
    rateLimit: options.rateLimit,
    maxInFlight: options.maxInFlight ?? concurrency * 10 + filling,
    maxBytes: options.maxBytes ?? 64 * 2 ** 20,
    restart: {
      max: restart?.max ?? 3,
      within: restart?.within ?? 5000,
      backoff: restart?.backoff ?? RESTART,
    },
    shutdown: shutdown?.timeout ?? 30_000,
  };
}

function settleBatcher(batcher: BatcherOptions<unknown, unknown>): BatcherSettings {
  return {
    size: batcher.size ?? 100,
    bytes: batcher.bytes,
    timeout: batcher.timeout ?? 1000,
    concurrency: batcher.concurrency ?? 1,
    weight: batcher.weight?.bind(batcher),
    splitBy: batcher.splitBy?.bind(batcher),
    partitionBy: batcher.partitionBy?.bind(batcher),
    retry: batcher.retry,
    bisect: batcher.bisect ?? false,
    handleTimeout: batcher.handleTimeout,
    ownSignal: batcher.handle.length > 2,
    handle: batcher.handle.bind(batcher),
  };
}

function settleSources({ producer, producers }: Options): SourceSettings[] {
  if (producers === undefined) return [settleSource(producer as AnySource)];
  return Object.entries(producers).map(([name, source]) => settleSource(source, name));
}

function settleSource(source: AnySource, name?: string): SourceSettings {
  const options: SourceOptions<unknown, unknown> =
    "producer" in source ? source : { producer: source };
  const { producer, concurrency = 1, weight = 1, rateLimit } = options;
  return { name: name ?? producer.name, producer, concurrency, weight, rateLimit };
}
