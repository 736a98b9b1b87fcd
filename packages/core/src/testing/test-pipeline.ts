import { ConfigurationError } from "../errors.ts";
import type { DeadLetter, DeadLetterSink, FailedMessage } from "../failure.ts";
import type { BatchData, BatcherName, BatcherOptions } from "../definition.ts";
import {
  check,
  func,
  isObject,
  object,
  optional,
  read,
  record,
  satisfying,
  shaped,
} from "../options.ts";
import type { Pipeline } from "../pipeline.ts";
import { pushed, stopping } from "../pipeline-options.ts";
import type { PipelineStats, PushOutcome, StopReport } from "../report.ts";
import type { PushOptions } from "../running-pipeline.ts";
import { type Settings, Topology } from "../topology/topology.ts";
import { Activity } from "./activity.ts";
import { type BatchHandler, inMemory } from "./in-memory.ts";
import { type VirtualClock, virtualClock } from "./virtual-clock.ts";

/** What stands in for the outside world in a test. */
export interface TestPipelineOptions<Payload, Metadata, Out> {
  /** @defaultValue one of its own */
  readonly clock?: VirtualClock | undefined;
  /** Handlers to run in place of those of the definition: a test that names them needs no database. */
  readonly batchers?:
    | {
        readonly [Name in BatcherName<Out>]?:
          | BatcherOptions<BatchData<Out, Name>, Metadata>["handle"]
          | undefined;
      }
    | undefined;
  /** Stands in for the dead-letter sink, if the definition has one; what throws is written again, as ever. */
  readonly deadLetter?: DeadLetterSink<Payload, Metadata>["write"] | undefined;
}

/** What became of a push, and what was handled while it was pending. */
export interface PushResult<Payload, Metadata, Data, Out> {
  /** What each call of a batcher's handler was given, in order; a retry is another call. */
  readonly batches: { readonly [Name in BatcherName<Out>]: BatchData<Out, Name>[][] };
  /** What ran out of policy, dead-lettered or not. */
  readonly failed: FailedMessage<Data, Metadata, Payload>[];
  /** What was written in place of the dead-letter sink. */
  readonly deadLettered: DeadLetter<Payload, Metadata>[];
  /** One for each payload. */
  readonly outcomes: readonly PushOutcome[];
}

/** A pipeline under test. Leaving the scope of an `await using` ends it at once, whatever still runs. */
export interface TestPipeline<Payload, Metadata, Data, Out> extends AsyncDisposable {
  /** Moves by itself to the next timer while something is pending and no handler runs; `advance` it for timeouts of handlers. */
  readonly clock: VirtualClock;
  /**
   * Resolves once every message has settled.
   * @throws what killed the pipeline, if it died of them
   */
  push(...payloads: readonly Payload[]): Promise<PushResult<Payload, Metadata, Data, Out>>;
  /** `push` with metadata or a key, the same for every message. */
  pushAll(
    payloads: readonly Payload[],
    options?: PushOptions<Metadata>,
  ): Promise<PushResult<Payload, Metadata, Data, Out>>;
  stats(): PipelineStats;
  /** Drains, as the pipeline itself would. */
  stop(options?: { readonly timeout?: number | undefined }): Promise<StopReport>;
}

/**
 * Runs a definition in memory: it takes what the test pushes in place of what its producers would send, and no time passes
 * but virtual time. Its processor and batchers are the real ones; its dead-letter sink is not called.
 * Rejects with a ConfigurationError if the definition is none or an option is wrong.
 */
export async function testPipeline<Payload, Metadata, Data, Out>(
  definition: Pipeline<Payload, Metadata, Data, Out>,
  options: TestPipelineOptions<Payload, Metadata, Out> = {},
): Promise<TestPipeline<Payload, Metadata, Data, Out>> {
  check("testPipeline", { definition }, DEFINITION);
  const tested = new Tested(definition.settings, options as Replacements);
  await tested.start();
  return tested as TestPipeline<unknown, unknown, unknown, unknown> as TestPipeline<
    Payload,
    Metadata,
    Data,
    Out
  >;
}

interface Replacements {
  readonly clock?: VirtualClock;
  readonly batchers?: Readonly<Record<string, BatchHandler | undefined>>;
  readonly deadLetter?: DeadLetterSink<unknown, unknown>["write"];
}

/** One that is running has no settings; nor have options that `definePipeline` was not given yet. */
const DEFINITION = object({
  definition: satisfying("what definePipeline gives", (value) => isObject(read(value, "settings"))),
});

const REPLACEMENTS = object<Replacements>({
  clock: optional(shaped({ advance: func, next: func, setTimer: func }, "a virtualClock()")),
  batchers: optional(record(optional(func))),
  deadLetter: optional(func),
});

interface Recording {
  readonly batches: Record<string, unknown[][]>;
  readonly failed: FailedMessage[];
  readonly deadLettered: DeadLetter[];
}

class Tested implements TestPipeline<unknown, unknown, unknown, unknown> {
  readonly clock: VirtualClock;
  readonly #settings: Settings;
  readonly #topology: Topology;
  readonly #activity = new Activity();
  readonly #recordings = new Set<Recording>();
  /** Pushes and stops that have not settled. */
  #pending = 0;
  #driving = false;

  constructor(settings: Settings, replacements: Replacements) {
    check(`testPipeline("${settings.name}")`, replacements, REPLACEMENTS);
    checkBatchers(settings, replacements);
    this.clock = replacements.clock ?? virtualClock();
    this.#settings = settings;
    const { batchers = {}, deadLetter } = replacements;
    const recordings = this.#recordings;
    const tested = inMemory(settings, {
      activity: this.#activity,
      handlerOf: (name) => batchers[name],
      batch: (name, data) => {
        for (const { batches } of recordings) batches[name]?.push([...data]);
      },
      failed: (messages) => {
        for (const { failed } of recordings) failed.push(...messages);
      },
      write: async (letters, signal) => {
        await deadLetter?.(letters, signal);
        for (const { deadLettered } of recordings) deadLettered.push(...letters);
      },
    });
    this.#topology = new Topology(tested, {
      clock: this.clock,
      // Half of the jitter: the same in every run.
      random: () => 0.5,
      ended: () => {},
    });
    // Whoever pushes or stops gets to know.
    this.#topology.done.catch(() => {});
  }

  start(): Promise<void> {
    return this.#during(this.#topology.start());
  }

  push(...payloads: readonly unknown[]): Promise<PushResult<unknown, unknown, unknown, unknown>> {
    return this.pushAll(payloads);
  }

  async pushAll(
    payloads: readonly unknown[],
    options?: PushOptions<unknown>,
  ): Promise<PushResult<unknown, unknown, unknown, unknown>> {
    check("pushAll", { payloads, options }, pushed);
    const names = Object.keys(this.#settings.batchers);
    const recording: Recording = {
      batches: Object.fromEntries(names.map((name) => [name, []])),
      failed: [],
      deadLettered: [],
    };
    this.#recordings.add(recording);
    try {
      const outcomes = await this.#during(this.#topology.push(payloads, options));
      const unfinished = outcomes.some(
        ({ outcome }) => outcome === "released" || outcome === "abandoned",
      );
      if (unfinished) await this.#during(this.#topology.done);
      return { ...recording, outcomes };
    } finally {
      this.#recordings.delete(recording);
    }
  }

  stats(): PipelineStats {
    return this.#topology.stats();
  }

  async stop(options?: { readonly timeout?: number | undefined }): Promise<StopReport> {
    check("stop", options, stopping);
    const { shutdown } = this.#settings;
    return this.#during(this.#topology.stop(options?.timeout ?? shutdown));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ timeout: 0 });
  }

  /** Lets time pass until the promise has settled. */
  async #during<Value>(promise: Promise<Value>): Promise<Value> {
    this.#pending++;
    this.#activity.changed();
    if (!this.#driving) void this.#drive();
    try {
      return await promise;
    } finally {
      this.#pending--;
      this.#activity.changed();
    }
  }

  async #drive(): Promise<void> {
    this.#driving = true;
    const idle = (): boolean => this.#activity.running === 0 && this.#pending > 0;
    while (this.#pending > 0) {
      const { change } = this.#activity;
      // What is under way takes real time; with no timer left, only something from outside can go on.
      if (!(await this.clock.next(idle)) && this.#pending > 0) await change;
    }
    this.#driving = false;
  }
}

function checkBatchers({ name, batchers }: Settings, replacements: Replacements): void {
  const names = Object.keys(batchers);
  const unknown = Object.keys(replacements.batchers ?? {}).filter((key) => !names.includes(key));
  if (unknown.length === 0) return;
  throw new ConfigurationError(
    `testPipeline("${name}")`,
    unknown.map((key) => ({
      path: `batchers.${key}`,
      expected:
        names.length === 0 ? "none: the pipeline has no batchers" : `one of ${names.join(", ")}`,
      got: "a handler for a batcher that is not there",
    })),
  );
}
