import { type Clock, systemClock } from "./clock.ts";
import type { PartitionKey } from "./message.ts";
import { check } from "./options.ts";
import { checkUpdate, pushed, stopping } from "./pipeline-options.ts";
import type { BatcherName } from "./definition.ts";
import type { RateLimit } from "./rate-limit.ts";
import type {
  PipelineStats,
  PipelineStatus,
  PipelineTopology,
  PushOutcome,
  StopReport,
} from "./report.ts";
import { type Settings, Topology } from "./topology/topology.ts";

export interface StartOptions {
  /** Drains the pipeline when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Drains the pipeline on SIGTERM and SIGINT.
   * @defaultValue false
   */
  readonly handleSignals?: boolean | undefined;
  /** @defaultValue the machine's clock */
  readonly clock?: Clock | undefined;
  /**
   * Gives [0, 1); for the jitter of back-off.
   * @defaultValue `Math.random`
   */
  readonly random?: (() => number) | undefined;
}

export interface PushOptions<Metadata> {
  readonly metadata?: Metadata | undefined;
  /** Order: see `processor.partitionBy`. */
  readonly key?: PartitionKey | undefined;
}

export interface BatcherUpdate {
  readonly size?: number | undefined;
  readonly timeout?: number | undefined;
  readonly concurrency?: number | undefined;
}

/** Limits that can be changed while a pipeline runs. What is not named stays as it is. */
export interface PipelineUpdate<Name extends string = string> {
  readonly processor?: { readonly concurrency?: number | undefined } | undefined;
  readonly batchers?:
    | ([Name] extends [never]
        ? Readonly<Record<string, never>>
        : { readonly [Batcher in Name]?: BatcherUpdate | undefined })
    | undefined;
  /** `null` lifts the limit. */
  readonly rateLimit?: RateLimit | null | undefined;
  readonly maxInFlight?: number | undefined;
}

/** A pipeline at work. */
export interface RunningPipeline<
  Payload = unknown,
  Metadata = unknown,
  Out = unknown,
> extends AsyncDisposable {
  readonly name: string;
  /**
   * Resolves when a finite source has ended or the pipeline was stopped; rejects with the error that killed it.
   * If nobody looks at it, a pipeline that dies ends the process, as any unhandled rejection does.
   */
  readonly done: Promise<StopReport>;
  readonly status: PipelineStatus;
  /**
   * Drains under one deadline and says what became of every message. Idempotent; a second call can bring the deadline forward
   * by its `timeout`, and never puts it off. May be called from a handler, but a handler that awaits it waits for itself
   * until the deadline.
   */
  stop(options?: { readonly timeout?: number | undefined }): Promise<StopReport>;
  /** Stops taking from the sources; what is in flight goes on. */
  pause(): void;
  resume(): void;
  /**
   * Hands messages in from code; waits for room; resolves with what became of each, in order.
   * Rejects with a ConfigurationError if an argument is wrong, with a StoppedError if the pipeline takes nothing any more.
   */
  push(
    payloads: readonly Payload[],
    options?: PushOptions<Metadata>,
  ): Promise<readonly PushOutcome[]>;
  /**
   * Changes limits; they hold from now on.
   * @throws ConfigurationError if one is wrong; then none is changed
   */
  update(changes: PipelineUpdate<BatcherName<Out>>): void;
  stats(): PipelineStats;
  topology(): PipelineTopology;
}

const running = new Map<Topology, RunningPipeline>();

/** Every running pipeline of this process. */
export function pipelines(): readonly RunningPipeline[] {
  return [...running.values()];
}

/** What drains the pipelines that asked for it: they share a listener, as Node warns of more than ten. */
const drains = new Set<() => void>();

function drainAll(): void {
  for (const drain of drains) drain();
}

function handleBy(method: "on" | "off"): void {
  process[method]("SIGTERM", drainAll)[method]("SIGINT", drainAll);
}

/** @internal */
export class Running<Payload, Metadata, Out> implements RunningPipeline<Payload, Metadata, Out> {
  readonly #topology: Topology;
  readonly done: Promise<StopReport>;

  private constructor(topology: Topology) {
    this.#topology = topology;
    this.done = topology.done.then((report) => report);
  }

  static async start<Payload, Metadata, Out>(
    settings: Settings,
    options: StartOptions,
  ): Promise<Running<Payload, Metadata, Out>> {
    const { signal, handleSignals, clock = systemClock, random = Math.random } = options;
    signal?.throwIfAborted();
    const stop = (): void => void topology.stop(settings.shutdown);
    const ended = (): void => {
      signal?.removeEventListener("abort", stop);
      if (drains.delete(stop) && drains.size === 0) handleBy("off");
      running.delete(topology);
    };
    const topology = new Topology(settings, { clock, random, ended });
    signal?.addEventListener("abort", stop, { once: true });
    if (handleSignals && drains.add(stop).size === 1) handleBy("on");
    try {
      await topology.start();
    } catch (error) {
      ended();
      throw error;
    }
    const self = new Running<Payload, Metadata, Out>(topology);
    if (topology.status !== "stopped") running.set(topology, self);
    return self;
  }

  get name(): string {
    return this.#topology.settings.name;
  }

  get status(): PipelineStatus {
    return this.#topology.status;
  }

  async stop(options?: { readonly timeout?: number | undefined }): Promise<StopReport> {
    check("stop", options, stopping);
    const timeout = options?.timeout;
    if (timeout !== undefined) this.#topology.hasten(timeout);
    return this.#topology.stop(timeout ?? this.#topology.settings.shutdown);
  }

  pause(): void {
    this.#topology.pause();
  }

  resume(): void {
    this.#topology.resume();
  }

  async push(
    payloads: readonly Payload[],
    options?: PushOptions<Metadata>,
  ): Promise<readonly PushOutcome[]> {
    check("push", { payloads, options }, pushed);
    return this.#topology.push(payloads, options);
  }

  update(changes: PipelineUpdate<BatcherName<Out>>): void {
    const { settings } = this.#topology;
    const sessions = settings.sources.reduce((sum, source) => sum + source.concurrency, 0);
    checkUpdate(changes, Object.keys(settings.batchers), sessions);
    this.#topology.update(changes);
  }

  stats(): PipelineStats {
    return this.#topology.stats();
  }

  topology(): PipelineTopology {
    return this.#topology.topology();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
