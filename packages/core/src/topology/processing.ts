import type { Clock } from "../clock.ts";
import { AttemptsError } from "../errors.ts";
import { Message, type PartitionKey, type RoutedMessage } from "../message.ts";
import type { Awaitable } from "../producer.ts";
import type { ProcessorStats } from "../report.ts";
import type { Publish } from "../telemetry.ts";
import type { Arrival } from "./account.ts";
import { DelayQueue } from "./delay-queue.ts";
import { type Defect, type Delivery, isSeveral } from "./delivery.ts";
import * as DeliveryState from "./delivery-state.ts";
import { type Decision, FailurePolicy } from "./failure-policy.ts";
import type { Failure } from "./failure-stage.ts";
import { handlerOf } from "./handler.ts";
import { routesOf } from "./handler-result.ts";
import { type Chunk, IntakeStage } from "./intake-stage.ts";
import type { Ledger } from "./ledger.ts";
import { ProcessorStage } from "./processor-stage.ts";
import { Scheduler } from "./scheduler.ts";
import type { Settings } from "./settings.ts";
import type { Child } from "./supervisor.ts";
import type { Turn } from "./turn.ts";

export interface ProcessingOptions {
  readonly clock: Clock;
  readonly turn: Turn;
  readonly ledger: Ledger;
  readonly settings: Settings;
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly publish: Publish<"pipeline">;
  /** Deliveries that may be here. */
  unsettled(): Iterable<Delivery>;
  /** Why a route cannot be taken; undefined if it can. */
  refusal(route: RoutedMessage): Error | undefined;
  route(route: RoutedMessage): void;
  /** Instead of another try it goes back to its source: the pipeline drains. */
  returns(delivery: Delivery): boolean;
  /** Its source gets it back. */
  release(delivery: Delivery): void;
  gaveUp(failure: Failure): void;
  /** A failure whose policy is to stop the pipeline. */
  stop(error: unknown): void;
  /** More may start. */
  completed(): void;
  /** A handler has ended, and what could start has started. */
  ended(): void;
  crashed(error: unknown): void;
}

/** Everything between a source and the batchers: decoding, order, handlers, and another try where one failed. */
export class Processing implements Child {
  readonly name = "processors";
  readonly #options: ProcessingOptions;
  readonly #scheduler = new Scheduler<Delivery>();
  readonly #intake: IntakeStage;
  readonly #policy: FailurePolicy;
  readonly #delayed: DelayQueue<Delivery>;
  #stage: ProcessorStage;
  #concurrency: number;
  /** How often a message is handled in all, over restarts of the process, too. */
  readonly #attempts: number;
  /** What a message is ordered by is not known before it has been decoded. */
  readonly #keyed: boolean;
  /** Nothing of the user's is called before the handler: what has no key is taken in when its turn comes, with one look at it less. */
  readonly #bare: boolean;
  /** Keys whose message stops the pipeline. */
  readonly #stopped = new Set<PartitionKey>();
  #intaking = 0;
  #down = false;
  #retries = 0;

  constructor(options: ProcessingOptions) {
    this.#options = options;
    const { clock, settings } = options;
    const { processor, decoder } = settings;
    this.#concurrency = processor.concurrency;
    this.#attempts = processor.retry?.attempts ?? Infinity;
    this.#keyed = processor.user.partitionBy !== undefined;
    this.#bare = decoder === undefined && !this.#keyed && processor.user.prepare === undefined;
    this.#policy = new FailurePolicy({ ...options, policy: processor.retry });
    this.#delayed = new DelayQueue(clock, (delivery) => this.#again(delivery));
    this.#intake = new IntakeStage({
      ...options,
      decoder,
      timeout: processor.timeout,
      user: processor.user,
      ready: (chunk, prepared) => this.#ready(chunk, prepared),
      undecoded: (delivery, error) => this.#undecoded(delivery, error),
    });
    this.#stage = this.#makeStage();
  }

  /** Nothing is ready, runs, or is being taken in. */
  get idle(): boolean {
    return this.#stage.running === 0 && this.#scheduler.ready === 0 && this.#intaking === 0;
  }

  /** A processor has nothing to do. */
  get free(): boolean {
    return this.#scheduler.ready === 0 && this.#stage.running < this.#concurrency;
  }

  /** Partition keys in use. */
  get keys(): number {
    return this.#scheduler.keys;
  }

  /** Fewer messages are ready than could be started soon. */
  get starving(): boolean {
    return this.#scheduler.ready < this.#concurrency;
  }

  /** Runs again what a crashed stage was running. */
  start(): void {
    if (!this.#down) return;
    this.#down = false;
    for (const delivery of this.#options.unsettled()) {
      if (delivery.state !== DeliveryState.running) continue;
      if (delivery.revoked) this.#release(delivery);
      else this.#rerun(delivery, (delivery.message as Message<unknown>).attempt);
    }
    this.#options.completed();
  }

  stop(reason: unknown): void {
    if (this.#down) return;
    this.#down = true;
    this.#stage.kill(reason);
    const { busy } = this.#stage;
    this.#stage = this.#makeStage();
    this.#stage.busy = busy;
  }

  take({ deliveries, keyed }: Arrival): Awaitable<void> {
    this.#policy.deposit(deliveries.length);
    if (!this.#bare || keyed) return this.#takeIn(deliveries);
    this.#scheduler.pushAll(deliveries);
    return undefined;
  }

  run(): void {
    if (!this.#down) this.#stage.run();
  }

  resize(concurrency: number): void {
    this.#concurrency = concurrency;
    this.#stage.resize(concurrency);
  }

  /** Aborts one message, if it runs. */
  abandon(delivery: Delivery, reason: unknown): void {
    this.#stage.abandon(delivery, reason);
    this.#scheduler.done(delivery);
  }

  /** What has been released meanwhile need not wait for its next attempt. */
  sweep(): void {
    for (const delivery of this.#delayed.remove(({ settled }) => settled)) {
      this.#scheduler.done(delivery);
    }
  }

  /** Ends the handling of a message: the next of its key may start. */
  finished(delivery: Delivery): void {
    this.#scheduler.done(delivery);
  }

  kill(reason: unknown): void {
    this.#delayed.clear();
    this.#stage.kill(reason);
  }

  /** Milliseconds handlers were busy so far, all slots added up. */
  get busy(): number {
    return this.#stage.measure();
  }

  get concurrency(): number {
    return this.#concurrency;
  }

  /** `busy` is how many slots were busy on average. */
  stats(busy: number): ProcessorStats {
    return {
      concurrency: this.#concurrency,
      running: this.#stage.running,
      ready: this.#scheduler.ready,
      blocked: this.#scheduler.blocked,
      waiting: this.#delayed.length,
      workload: Math.min(1, busy / this.#concurrency),
      retries: this.#retries,
    };
  }

  #makeStage(): ProcessorStage {
    const { clock, turn, settings, ended, crashed } = this.#options;
    return new ProcessorStage({
      clock,
      turn,
      concurrency: this.#concurrency,
      timeout: settings.processor.timeout,
      ownSignal: settings.processor.ownSignal,
      pipeline: settings.name,
      handle: handlerOf(settings.processor.user),
      ledger: this.#options.ledger,
      scheduler: this.#scheduler,
      handled: (delivery, result) => this.#handled(delivery, result),
      failed: (delivery, error) => this.#failed(delivery, error),
      admit: (delivery) => this.#admit(delivery),
      defective: (delivery) => this.#defective(delivery),
      advance: ended,
      crashed,
    });
  }

  #ready(chunk: Chunk, prepared: boolean): void {
    for (const delivery of chunk) if (delivery !== undefined) this.#enter(delivery, prepared);
    // What came with them may still have to be waited for.
    if (this.#intaking > 0) this.#options.completed();
  }

  #admit(delivery: Delivery): void {
    this.#intake.admit(delivery);
    this.#limit(delivery);
  }

  #enter(delivery: Delivery, prepared: boolean): void {
    // It may have been released while it was being taken in.
    if (delivery.settled) {
      this.#scheduler.done(delivery);
      return;
    }
    if (!prepared && delivery.message !== undefined) delivery.note({ unprepared: true });
    this.#limit(delivery);
    this.#enqueue(delivery);
  }

  /** One that has come too often fails when its turn comes. */
  #limit(delivery: Delivery): void {
    const { message, source } = delivery;
    if (message === undefined || message.attempt <= this.#attempts) return;
    const error = new AttemptsError(
      `The source "${source}" has delivered this message ${message.attempt} times; its policy allows ${this.#attempts}. It may end the process.`,
    );
    delivery.note({ defect: delivery.defect ?? { error, tries: Infinity } });
  }

  #undecoded(delivery: Delivery, error: unknown): void {
    const { defect, incoming } = delivery;
    const tries = defect === undefined ? (incoming.attempt ?? 1) : defect.tries + 1;
    delivery.note({ defect: { error, tries } });
    // The key that `partitionBy` gave it before is no longer known; one that is released still holds it.
    if (this.#keyed && !delivery.settled) delivery.key = undefined;
  }

  /** A message that cannot be handled takes its place behind those of its key, too, and fails when its turn comes. */
  #enqueue(delivery: Delivery): void {
    // What comes behind a failure that stops the pipeline must not overtake it, and is not to be waited for.
    if (delivery.key !== undefined && this.#stopped.has(delivery.key)) {
      this.#options.ledger.release(delivery);
      this.#options.completed();
      return;
    }
    const retaken = delivery.state === DeliveryState.waiting;
    if (retaken) this.#options.ledger.again(delivery);
    if (retaken && !this.#keyed) this.#scheduler.again(delivery);
    else this.#scheduler.push(delivery);
  }

  #defective(delivery: Delivery): void {
    const { error, tries } = delivery.defect as Defect;
    this.#fail(delivery, error, this.#policy.decide(error, tries));
  }

  #handled(delivery: Delivery, result: unknown): void {
    const { verdict, reason } = delivery.message as Message<unknown>;
    if (verdict !== undefined) this.#judged(delivery, verdict, reason);
    else if (result !== undefined) this.#routed(delivery, result);
    else {
      this.#options.ledger.succeed(delivery);
      this.#scheduler.done(delivery);
    }
  }

  /** The handler has said itself what becomes of it. */
  #judged(delivery: Delivery, verdict: "failed" | "dropped", reason: unknown): void {
    if (verdict === "failed") {
      this.#failed(delivery, reason);
      return;
    }
    this.#options.ledger.drop(delivery, reason);
    this.#scheduler.done(delivery);
  }

  #routed(delivery: Delivery, result: unknown): void {
    const { ledger, route } = this.#options;
    let routes: RoutedMessage | RoutedMessage[];
    try {
      routes = routesOf(delivery, result, this.#options.refusal);
    } catch (error) {
      this.#failed(delivery, error);
      return;
    }
    if (!isSeveral(routes)) {
      ledger.route(delivery, routes);
      route(routes);
    } else if (routes.length === 0) ledger.succeed(delivery);
    else {
      ledger.route(delivery, routes);
      for (const one of routes) route(one);
    }
    this.#scheduler.done(delivery);
  }

  #failed(delivery: Delivery, error: unknown): void {
    const { attempt } = delivery.message as Message<unknown>;
    this.#fail(delivery, error, this.#policy.decide(error, attempt));
  }

  #fail(delivery: Delivery, error: unknown, { action, delay }: Decision): void {
    const { ledger, publish, returns, gaveUp, stop } = this.#options;
    const attempt = delivery.message?.attempt ?? delivery.defect?.tries ?? 1;
    publish("westend:message:failed", {
      source: delivery.source,
      batcher: undefined,
      attempt,
      action,
      delay,
      error,
    });
    switch (action) {
      case "retry":
      case "hold":
        if (delivery.revoked || returns(delivery)) {
          this.#release(delivery);
          return;
        }
        this.#retries++;
        ledger.wait(delivery);
        this.#delayed.add(delivery, delay);
        return;
      case "drop":
        ledger.drop(delivery, error);
        this.#scheduler.done(delivery);
        return;
      case "stop":
        ledger.wait(delivery);
        if (delivery.key !== undefined) this.#stopped.add(delivery.key);
        for (let one: Delivery | undefined | null = delivery; one; one = one.next) {
          if (!one.settled) ledger.release(one);
        }
        stop(error);
        return;
      case "fail":
      case "deadLetter":
        ledger.giveUp(delivery);
        gaveUp({ delivery, route: undefined, reason: error, attempts: attempt, action });
    }
  }

  #release(delivery: Delivery): void {
    this.#options.release(delivery);
    this.#scheduler.done(delivery);
  }

  #again(delivery: Delivery): void {
    if (delivery.settled) {
      this.#scheduler.done(delivery);
      return;
    }
    const { defect } = delivery;
    if (defect !== undefined && !(defect.error instanceof AttemptsError)) {
      this.#retake(delivery);
      return;
    }
    delivery.note({ defect: undefined });
    const { attempt } = delivery.message as Message<unknown>;
    this.#rerun(delivery, attempt + 1);
    this.#options.completed();
  }

  /** Decodes it again; its place among its key's is still its own. */
  #retake(delivery: Delivery): void {
    delivery.message = undefined;
    if (this.#takeIn([delivery]) === undefined) this.#options.completed();
  }

  #takeIn(chunk: Chunk): Awaitable<void> {
    const taken = this.#intake.take(chunk);
    if (taken === undefined) return undefined;
    this.#intaking++;
    return this.#whenTaken(taken);
  }

  /** A new object: what a late handler says to the old one no longer counts. */
  #rerun(delivery: Delivery, attempt: number): void {
    const { data } = delivery.message as Message<unknown>;
    delivery.message = new Message(data, attempt, delivery);
    this.#options.ledger.again(delivery);
    this.#scheduler.again(delivery);
  }

  async #whenTaken(taken: PromiseLike<void>): Promise<void> {
    try {
      await taken;
    } catch (error) {
      this.#options.crashed(error);
    } finally {
      this.#intaking--;
    }
    this.#options.completed();
  }
}
