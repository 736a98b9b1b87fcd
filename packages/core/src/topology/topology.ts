import type { Clock } from "../clock.ts";
import { ProducerError, StageError, StoppedError } from "../errors.ts";
import type {
  PipelineStats,
  PipelineStatus,
  PipelineTopology,
  PushOutcome,
  StopReport,
} from "../report.ts";
import { type Publish, publisher } from "../telemetry.ts";
import { Alarm } from "./alarm.ts";
import { Batching } from "./batching.ts";
import type { Delivery } from "./delivery.ts";
import { type Failure, FailureStage } from "./failure-stage.ts";
import { Figures } from "./figures.ts";
import { HandBack } from "./hand-back.ts";
import { Ledger } from "./ledger.ts";
import { type Limits, pathsOf } from "./limits.ts";
import { Processing } from "./processing.ts";
import type { PushSourceOptions } from "./push-source.ts";
import type { BatcherSettings, Settings, SourceSettings } from "./settings.ts";
import { Sources } from "./sources.ts";
import { type Child, Supervisor } from "./supervisor.ts";
import { Terminator } from "./terminator.ts";
import { Turn } from "./turn.ts";

export type { BatcherSettings, Settings, SourceSettings };

/** Milliseconds a processor has nothing to do for want of room before open batches make some. */
const PATIENCE = 50;

export interface TopologyOptions {
  readonly clock: Clock;
  readonly random: () => number;
  /** It is over: `done` has settled. */
  ended(): void;
}

/** A running pipeline: wires the stages to one another, starts and stops them. */
export class Topology {
  readonly settings: Settings;
  readonly done: Promise<StopReport>;
  readonly #options: TopologyOptions;
  readonly #ledger = new Ledger();
  readonly #turn: Turn;
  readonly #sources: Sources;
  readonly #processing: Processing;
  readonly #batching: Batching;
  readonly #failures: FailureStage;
  readonly #terminator: Terminator;
  readonly #producers: Supervisor;
  readonly #batchers: Supervisor;
  readonly #root: Supervisor;
  readonly #controller = new AbortController();
  /** Rings when handlers have been waited for long enough to make room. */
  readonly #patience: Alarm;
  readonly #handBack: HandBack;
  readonly #figures: Figures;
  #status: PipelineStatus = "running";
  readonly #publish: Publish<"pipeline">;
  #started: (() => void) | undefined;
  /** What came of everything, once it is over, well or not. */
  readonly #over: Promise<StopReport>;
  #end!: (report: StopReport) => void;
  #failure: { readonly error: unknown } | undefined;
  #advancing = false;
  #again = false;
  #deferred = false;

  constructor(settings: Settings, options: TopologyOptions) {
    this.settings = settings;
    this.#options = options;
    const { clock } = options;
    this.#over = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.done = this.#over.then((report) => {
      if (this.#failure !== undefined) throw this.#failure.error;
      return report;
    });
    const ledger = this.#ledger;
    const { signal } = this.#controller;
    const advance = (): void => this.#advance();
    const publish = publisher({ pipeline: settings.name });
    this.#publish = publish;
    this.#turn = new Turn(clock, advance);
    this.#patience = new Alarm(clock, () => this.#rest(true));
    const common = { ...options, ledger, settings, signal, turn: this.#turn, publish, advance };
    const outlets = {
      gaveUp: (failure: Failure): void => this.#failures.push(failure),
      stop: (error: unknown): void => void this.stop(settings.shutdown, { error }),
      unsettled: () => this.#handBack.unsettled(),
      returns: (delivery: Delivery) => this.#handBack.returns(delivery),
      release: (delivery: Delivery, all = false) => this.#handBack.release(delivery, all),
    };
    const processingCrashed = (error: unknown): void => this.#root.crashed(this.#processing, error);
    this.#sources = new Sources({
      ...common,
      received: (arrival) => {
        if (this.#status === "draining" && this.#handBack.late(arrival)) return undefined;
        return this.#processing.take(arrival);
      },
      starving: () => this.#processing.starving,
      revoke: (account, predicate, timeout) => this.#handBack.revoke(account, predicate, timeout),
      acknowledged: (group, now) => this.#figures.acknowledged(group, now),
      crashed: (source, error) => {
        // One that has never been open is not waited for as long as one that was.
        if (!source.opened && source.restarts > settings.restart.max) this.#die(error, 0);
        else this.#producers.crashed(source, error);
      },
    });
    this.#processing = new Processing({
      ...common,
      ...outlets,
      refusal: (route) => this.#batching.refusal(route),
      route: (route) => this.#batching.push(route),
      completed: () => {
        if (!this.#advancing) this.#run();
        this.#handled();
      },
      ended: () => this.#handled(),
      crashed: processingCrashed,
    });
    this.#batching = new Batching({
      ...common,
      ...outlets,
      crashed: (batcher, error) => this.#batchers.crashed(batcher, error),
    });
    this.#failures = new FailureStage({
      ...common,
      done: ({ delivery, route, reason }, outcome) => {
        if (delivery.settled) return;
        if (route !== undefined) {
          ledger.settleRoute(route, outcome, reason);
          return;
        }
        ledger.fail(delivery, outcome, reason);
        this.#processing.finished(delivery);
      },
      crashed: processingCrashed,
    });
    const parts = {
      ...common,
      sources: this.#sources,
      processing: this.#processing,
      batching: this.#batching,
    };
    this.#handBack = new HandBack(parts);
    this.#figures = new Figures({ ...parts, failures: this.#failures });
    this.#terminator = new Terminator({
      clock,
      stopTaking: () => this.#handBack.unstarted(),
      drainProducers: () => this.#sources.drain(),
      finished: () => this.#ledger.inFlight + this.#sources.held === 0,
      abandon: () => this.#handBack.abandon((reason) => this.#kill(reason)),
      released: () => this.#handBack.released(),
      close: async () => {
        await Promise.all([this.#sources.close(), this.#failures.close()]);
      },
    });
    const supervise = (
      name: string,
      children: readonly Child[],
      grace = 0,
      restForOne = false,
    ): Supervisor =>
      new Supervisor({
        ...common,
        name,
        children,
        restForOne,
        budget: settings.restart,
        // A source that is lost leaves time for what came from it; a stage that crashes does not.
        escalate: (error) => this.#die(error, grace),
        restarting: (stage, error, delay) =>
          publish("westend:stage:restarting", { stage, delay, error }),
      });
    this.#producers = supervise("producers", this.#sources.all, settings.shutdown);
    this.#batchers = supervise("batchers", this.#batching.all);
    const children = [this.#producers, this.#processing, this.#batchers];
    this.#root = supervise("pipeline", children, 0, true);
  }

  get status(): PipelineStatus {
    return this.#sources.paused && this.#status === "running" ? "paused" : this.#status;
  }

  /** Resolves when every producer is open; rejects when one cannot be opened. */
  async start(): Promise<void> {
    // It may be stopped meanwhile.
    await Promise.race([this.#failures.open(), this.done]);
    const opened = new Promise<void>((resolve) => {
      this.#started = resolve;
    });
    if (this.#status === "running") this.#root.start();
    await Promise.race([opened, this.done]);
    if (this.#status === "running") this.#publish("westend:pipeline:started", {});
  }

  pause(): void {
    if (this.status !== "running") return;
    this.#sources.paused = true;
    this.#publish("westend:pipeline:paused", {});
  }

  resume(): void {
    if (this.status !== "paused") return;
    this.#sources.paused = false;
    this.#publish("westend:pipeline:resumed", {});
    this.#advance();
  }

  push(payloads: readonly unknown[], options?: PushSourceOptions): Promise<PushOutcome[]> {
    if (this.#status !== "running") {
      const error = new StoppedError(
        `push: the pipeline "${this.settings.name}" is ${this.#status}.`,
      );
      return Promise.reject(error);
    }
    return this.#sources.push.push(payloads, options);
  }

  update(limits: Limits): void {
    const { processor, batchers = {}, rateLimit, maxInFlight } = limits;
    if (processor?.concurrency !== undefined) this.#processing.resize(processor.concurrency);
    for (const [name, changed] of Object.entries(batchers)) {
      if (changed !== undefined) this.#batching.get(name)?.resize(changed);
    }
    if (rateLimit !== undefined) this.#sources.rateLimit = rateLimit ?? undefined;
    if (maxInFlight !== undefined) this.#sources.maxInFlight = maxInFlight;
    this.#publish("westend:pipeline:updated", { paths: pathsOf(limits) });
    this.#advance();
  }

  stats(): PipelineStats {
    return this.#figures.stats(this.status);
  }

  topology(): PipelineTopology {
    return this.#figures.topology();
  }

  /** Partition keys in use; for tests. */
  get keys(): number {
    return this.#processing.keys;
  }

  /** Illegal steps the ledger has refused; for tests. */
  get violations(): number {
    return this.#ledger.violations;
  }

  /** Moves everything on as far as it goes. */
  #advance(): void {
    if (this.#advancing) {
      this.#again = true;
      return;
    }
    this.#advancing = true;
    try {
      do {
        this.#again = false;
        this.#run();
        if (this.#ledger.unacknowledged > 0) this.#acknowledge();
        this.#again = this.#sources.pull() || this.#again;
      } while (this.#again && !this.#turn.spent());
    } catch (crash) {
      this.#root.crashed(this.#processing, crash);
    }
    this.#advancing = false;
    this.#settle();
  }

  /** What goes wrong in here is a crash of the stage, not of whoever moved it on. */
  #run(): void {
    try {
      this.#processing.run();
    } catch (crash) {
      this.#root.crashed(this.#processing, crash);
    }
  }

  /** A handler has ended: everything moves on once that is worth while. */
  #handled(): void {
    if (this.#advancing) this.#again = true;
    else if (this.#ledger.unacknowledged >= this.#sources.group || this.#processing.idle) {
      this.#advance();
    } else if (!this.#deferred) this.#defer();
  }

  /** Small groups wait for what else ends in this turn of the event loop. */
  #acknowledge(): void {
    if (this.#ledger.unacknowledged < this.#sources.group && !this.#processing.idle) {
      if (!this.#deferred) this.#defer();
      return;
    }
    this.#sources.flush();
  }

  #defer(): void {
    this.#deferred = true;
    this.#options.clock.defer(() => {
      this.#deferred = false;
      this.#sources.flush();
      this.#advance();
    });
  }

  /** Looks whether something is over, or stuck for want of room. */
  #settle(): void {
    this.#handBack.check();
    if (this.#started !== undefined && this.#sources.all.every(({ opened }) => opened)) {
      this.#started();
      this.#started = undefined;
    }
    this.#rest(false);
    if (this.#status === "draining") this.#terminator.check();
  }

  /** Goes on where nothing else would; `late` if handlers have been waited for. */
  #rest(late: boolean): void {
    const { idle } = this.#processing;
    const draining = this.#status === "draining";
    if (idle && (draining || this.#sources.ended)) {
      this.#batching.drain();
      if (!draining && this.#ledger.inFlight === 0) void this.stop(undefined);
    } else if (!this.#stuck) this.#patience.clear();
    else if (idle || late) {
      // What it flushes may have to wait behind a batch that is held.
      do {
        for (const batcher of this.#batching.all) batcher.flushOldest();
      } while (this.#stuck);
    } else if (!this.#patience.isSet) this.#patience.set(PATIENCE);
  }

  /** Open batches keep a source waiting, and with it a processor: running handlers aside, nothing else makes room. */
  get #stuck(): boolean {
    if (!this.#processing.free || this.#batching.open === 0 || this.#batching.active) return false;
    // Acknowledgements that are on their way make room, too.
    return this.#sources.full && this.#ledger.inFlight === this.#ledger.unsettled;
  }

  /** Aborts what runs, and forgets what waits; the ledger knows of it. */
  #kill(reason: unknown): void {
    this.#patience.clear();
    this.#processing.kill(reason);
    for (const batcher of this.#batching.all) batcher.kill(reason);
    this.#controller.abort(reason);
    this.#failures.kill();
  }

  /** The restart budget is spent. */
  #die(error: unknown, milliseconds: number): void {
    const fatal =
      error instanceof ProducerError
        ? error
        : new StageError("A stage crashed more often than restart allows.", {
            cause: error,
          });
    void this.stop(milliseconds, { error: fatal });
  }

  /** Brings the deadline of a drain that is under way forward, never back. */
  hasten(milliseconds: number): void {
    this.#terminator.hasten(milliseconds);
  }

  /** Drains under one deadline; without one there is nothing left to drain. */
  stop(
    milliseconds: number | undefined,
    failure?: { readonly error: unknown },
  ): Promise<StopReport> {
    if (this.#status === "running") {
      this.#status = "draining";
      this.#failure = failure;
      void this.#terminate(milliseconds);
    }
    return this.#over;
  }

  async #terminate(milliseconds: number | undefined): Promise<void> {
    if (milliseconds === undefined) await this.#terminator.close();
    else {
      const { inFlight } = this.#ledger;
      this.#publish("westend:pipeline:draining", { timeout: milliseconds, inFlight });
      await this.#terminator.drain(milliseconds);
    }
    const over = new StoppedError("The pipeline has ended.");
    this.#root.stop(over);
    this.#kill(over);
    this.#sources.kill();
    this.#handBack.end();
    const report = this.#ledger.report();
    if (this.#failure === undefined) {
      this.#status = "stopped";
      this.#publish("westend:pipeline:stopped", { report });
    } else {
      this.#status = "failed";
      this.#publish("westend:pipeline:failed", { error: this.#failure.error, report });
    }
    this.#end(report);
    this.#options.ended();
  }
}
