import type { EmittedBatch } from "../batch.ts";
import type { Clock } from "../clock.ts";
import { UnknownBatcherError } from "../errors.ts";
import type { FailureAction } from "../failure.ts";
import type { RoutedMessage } from "../message.ts";
import type { BatcherStats } from "../report.ts";
import { batchChannel, enter, leave, type Publish, traced } from "../telemetry.ts";
import { BatchProcessorStage } from "./batch-processor-stage.ts";
import { renewed } from "./batch-run.ts";
import { BatcherStage } from "./batcher-stage.ts";
import type { Delivery } from "./delivery.ts";
import { FailurePolicy } from "./failure-policy.ts";
import type { Failure } from "./failure-stage.ts";
import type { Ledger } from "./ledger.ts";
import * as RouteState from "./route-state.ts";
import type { BatcherSettings, Settings } from "./settings.ts";
import type { Child } from "./supervisor.ts";
import { isThenable } from "./thenable.ts";

export interface BatchingOptions {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly settings: Settings;
  readonly random: () => number;
  readonly publish: Publish<"pipeline">;
  /** Instead of another try it goes back to its source: the pipeline drains. */
  returns(delivery: Delivery): boolean;
  /** Its source gets it back, and what is ordered behind it in a batcher; `all` of that, or what `returns`. */
  release(delivery: Delivery, all: boolean): void;
  gaveUp(failure: Failure): void;
  /** A failure whose policy is to stop the pipeline. */
  stop(error: unknown): void;
  /** Deliveries that may have a branch here. */
  unsettled(): Iterable<Delivery>;
  advance(): void;
  crashed(batcher: Batcher, error: unknown): void;
}

/** One batcher and its batch processors: they crash and restart together. */
export class Batcher implements Child {
  readonly name: string;
  readonly #options: BatchingOptions;
  readonly #policy: FailurePolicy;
  readonly #triggers = { size: 0, bytes: 0, split: 0, timeout: 0, flush: 0 };
  #settings: BatcherSettings;
  #stage: BatcherStage;
  #processors: BatchProcessorStage;
  #down = false;
  #messages = 0;

  constructor(name: string, settings: BatcherSettings, options: BatchingOptions) {
    this.name = name;
    this.#options = options;
    this.#settings = settings;
    this.#policy = new FailurePolicy({ ...options, policy: settings.retry });
    this.#stage = this.#makeStage();
    this.#processors = this.#makeProcessors();
  }

  /** Messages in batches that are still filling. */
  get open(): number {
    return this.#stage.waiting;
  }

  get active(): boolean {
    return this.#processors.active;
  }

  get busy(): number {
    return this.#processors.measure();
  }

  /** Sends what a crashed stage held through the new one. */
  start(): void {
    if (!this.#down) return;
    this.#down = false;
    // A copy: sending one may settle others.
    for (const delivery of [...this.#options.unsettled()]) {
      for (const route of delivery.branches) {
        if (route.batcher !== this.name || route.state >= RouteState.failing) continue;
        if (delivery.revoked) this.#options.ledger.move(route, RouteState.waiting);
        else this.#pushAgain(route);
      }
    }
    this.#options.advance();
  }

  stop(reason: unknown): void {
    if (this.#down) return;
    this.kill(reason);
    const { retries, busy, halted } = this.#processors;
    this.#stage = this.#makeStage();
    this.#processors = Object.assign(this.#makeProcessors(), { retries, busy, halted });
  }

  /** As another object: the handler that crashed with it may still freeze it. */
  #pushAgain(route: RoutedMessage): void {
    const copy = renewed(route);
    this.#options.ledger.replaceRoute(route, copy);
    this.push(copy);
  }

  push(route: RoutedMessage): void {
    // While the stage is down the ledger holds the message for it.
    if (this.#down || isOver(route)) return;
    if (!this.#options.ledger.move(route, RouteState.batched)) return;
    try {
      this.#stage.push(route);
    } catch (crash) {
      this.#options.crashed(this, crash);
    }
  }

  flushOldest(): void {
    this.#stage.flushOldest();
  }

  drain(): void {
    this.#stage.drain();
  }

  halt(all: boolean): void {
    this.#processors.halt(all);
  }

  resize(limits: {
    readonly size?: number | undefined;
    readonly timeout?: number | undefined;
    readonly concurrency?: number | undefined;
  }): void {
    const settings = this.#settings;
    const { size = settings.size, timeout = settings.timeout } = limits;
    const { concurrency = settings.concurrency } = limits;
    this.#settings = { ...settings, size, timeout, concurrency };
    // First, what is emitted for being full now must find the new limit.
    this.#processors.resize(concurrency);
    this.#stage.resize(size, timeout);
  }

  /** What has been released meanwhile need not wait for its next attempt. */
  sweep(): void {
    this.#processors.sweep(isOver);
  }

  kill(reason: unknown): void {
    this.#down = true;
    this.#stage.kill();
    this.#processors.kill(reason);
  }

  get concurrency(): number {
    return this.#settings.concurrency;
  }

  /** `busy` is how many batch processors were busy on average. */
  stats(busy: number): BatcherStats {
    const { concurrency } = this;
    const { queued, waiting, running, retries } = this.#processors;
    return {
      concurrency,
      open: this.#stage.waiting,
      queued,
      waiting,
      running,
      workload: Math.min(1, busy / concurrency),
      batches: Object.values(this.#triggers).reduce((sum, count) => sum + count, 0),
      messages: this.#messages,
      retries,
      triggers: { ...this.#triggers },
    };
  }

  #makeStage(): BatcherStage {
    const { clock } = this.#options;
    return new BatcherStage({
      ...this.#settings,
      clock,
      name: this.name,
      sizeOf,
      emit: (batch) => this.#emit(batch),
      failed: (message, error) => {
        const { action } = this.#policy.decide(error, Infinity);
        this.#gaveUp(message, error, action, 1);
      },
      crashed: (error) => this.#options.crashed(this, error),
    });
  }

  #makeProcessors(): BatchProcessorStage {
    const { ledger, publish, returns, release } = this.#options;
    return new BatchProcessorStage({
      ...this.#options,
      ...this.#settings,
      name: this.name,
      sizeOf,
      handle: this.#handler(),
      decide: (error, attempt) => this.#policy.decide(error, attempt),
      failed: (messages, error, attempt, { action, delay }) => {
        const batcher = this.name;
        for (const { source } of messages) {
          publish("westend:message:failed", { source, batcher, attempt, action, delay, error });
        }
      },
      start: (messages) => this.#startable(messages),
      replace: (message, copy) => ledger.replaceRoute(message, copy),
      wait: (message) => {
        if (isOver(message)) return false;
        ledger.move(message, RouteState.waiting);
        const delivery = message.origin as Delivery;
        if (!returns(delivery)) return true;
        release(delivery, false);
        return false;
      },
      release: (message, all) => {
        const delivery = message.origin as Delivery;
        // One whose failure is being dealt with is not behind anything any more.
        if (message.state >= RouteState.failing || delivery.settled) return;
        if (all || returns(delivery)) release(delivery, all);
      },
      succeeded: (messages) => {
        for (const message of messages) if (!isOver(message)) ledger.succeedRoute(message);
      },
      gaveUp: (message, reason, action, attempt) => this.#gaveUp(message, reason, action, attempt),
      crashed: (error) => this.#options.crashed(this, error),
    });
  }

  /** Seldom is one of them over: then the array goes on as it is. */
  #startable(messages: readonly RoutedMessage[]): readonly RoutedMessage[] {
    let rest: RoutedMessage[] | undefined;
    for (let index = 0; index < messages.length; index++) {
      const message = messages[index] as RoutedMessage;
      if (this.#starts(message)) rest?.push(message);
      else rest ??= messages.slice(0, index);
    }
    return rest ?? messages;
  }

  #starts(message: RoutedMessage): boolean {
    if (isOver(message)) return false;
    // Its first attempt may be made, or a batch could not be flushed.
    const refused = message.state > RouteState.batched && (message.origin as Delivery).revoked;
    const { ledger } = this.#options;
    return ledger.move(message, refused ? RouteState.waiting : RouteState.running) && !refused;
  }

  #handler(): BatcherSettings["handle"] {
    const { handle } = this.#settings;
    const pipeline = this.#options.settings.name;
    return (messages, batch, signal) => {
      if (!traced(batchChannel)) return handle(messages, batch, signal);
      const { batcher, size, bytes, trigger, attempt } = batch;
      const context = { pipeline, batcher, size, bytes, trigger, attempt };
      const result = enter(batchChannel, context, handle, messages, batch, signal);
      if (!isThenable(result)) return result;
      // What is lazy, a query builder for one, would run again if it were asked twice.
      const promise = Promise.resolve(result);
      promise.then(
        () => leave(batchChannel, context),
        (reason) => leave(batchChannel, context, { reason }),
      );
      return promise;
    };
  }

  #emit(batch: EmittedBatch): void {
    const { batcher, size, bytes, trigger } = batch.info;
    this.#policy.deposit(size);
    this.#triggers[trigger]++;
    this.#messages += size;
    this.#options.publish("westend:batch:emitted", { batcher, size, bytes, trigger });
    this.#processors.push(batch);
  }

  #gaveUp(message: RoutedMessage, reason: unknown, action: FailureAction, attempts: number): void {
    if (isOver(message)) return;
    const { ledger, gaveUp, release, stop } = this.#options;
    const delivery = message.origin as Delivery;
    if (action === "drop") ledger.settleRoute(message, "dropped", reason);
    else if (action === "stop") {
      release(delivery, true);
      stop(reason);
    } else {
      ledger.move(message, RouteState.failing);
      gaveUp({
        delivery,
        route: message,
        reason,
        attempts,
        action: action === "deadLetter" ? action : "fail",
      });
    }
  }
}

/** All batchers of a pipeline. A slow one fills its own batches; the others go on. */
export class Batching {
  readonly all: readonly Batcher[];
  readonly #byName: ReadonlyMap<string, Batcher>;
  /** The batcher asked for last: most messages of a pipeline go to the same. */
  #latest: Batcher | undefined;

  constructor(options: BatchingOptions) {
    this.all = Object.entries(options.settings.batchers).map(
      ([name, settings]) => new Batcher(name, settings, options),
    );
    this.#byName = new Map(this.all.map((batcher) => [batcher.name, batcher]));
  }

  /** Messages in batches that are still filling. */
  get open(): number {
    return this.all.reduce((sum, { open }) => sum + open, 0);
  }

  /** Batches are written, or can be: what waits behind one that is held cannot. */
  get active(): boolean {
    return this.all.some(({ active }) => active);
  }

  refusal({ batcher }: RoutedMessage): Error | undefined {
    if (this.get(batcher) !== undefined) return undefined;
    const names = this.all.map(({ name }) => `"${name}"`).join(", ");
    return new UnknownBatcherError(
      `There is no batcher "${batcher}". There are: ${names || "none"}.`,
    );
  }

  push(route: RoutedMessage): void {
    this.get(route.batcher)?.push(route);
  }

  get(name: string): Batcher | undefined {
    const latest = this.#latest;
    if (latest !== undefined && latest.name === name) return latest;
    this.#latest = this.#byName.get(name);
    return this.#latest;
  }

  /** Emits whatever is waiting. */
  drain(): void {
    for (const batcher of this.all) batcher.drain();
  }
}

/** Settled, or no longer the pipeline's: whatever comes late for it does not count. */
function isOver(route: RoutedMessage): boolean {
  return route.state >= RouteState.settled || (route.origin as Delivery).settled;
}

function sizeOf({ options, data, origin }: RoutedMessage): number {
  const size = options?.size;
  if (size !== undefined) return size;
  if (typeof data === "string") return data.length;
  return data instanceof Uint8Array ? data.byteLength : (origin as Delivery).size;
}
