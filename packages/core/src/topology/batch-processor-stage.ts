import type { Batch, EmittedBatch } from "../batch.ts";
import type { Clock, Timer } from "../clock.ts";
import type { FailureAction } from "../failure.ts";
import type { PartitionKey, RoutedMessage } from "../message.ts";
import { areUntouched, describe, isFinished, renewed, type Run, runOf } from "./batch-run.ts";
import { DelayQueue } from "./delay-queue.ts";
import { type Decision, isRetry } from "./failure-policy.ts";
import { checkKey } from "./partition-key.ts";
import { PartitionOrder } from "./partition-order.ts";
import { Ring } from "./ring.ts";
import { isThenable } from "./thenable.ts";
import { tookTooLong } from "./time-limit.ts";
import { LONGEST } from "./turn.ts";

export interface BatchProcessorStageOptions {
  readonly clock: Clock;
  readonly name: string;
  readonly concurrency: number;
  /** Milliseconds one call of the handler may take. */
  readonly handleTimeout: number | undefined;
  readonly bisect: boolean;
  /** Whether each call needs a signal of its own, because the handler declares one. */
  readonly ownSignal: boolean;
  readonly partitionBy: ((message: RoutedMessage) => PartitionKey | undefined) | undefined;
  sizeOf(message: RoutedMessage): number;
  handle(messages: readonly RoutedMessage[], batch: Batch, signal: AbortSignal): unknown;
  decide(error: unknown, attempt: number): Decision;
  /** An attempt failed; for whoever watches. */
  failed(
    messages: readonly RoutedMessage[],
    error: unknown,
    attempt: number,
    decision: Decision | typeof HALVED,
  ): void;
  /** What of these is to be handled after all. */
  start(messages: readonly RoutedMessage[]): readonly RoutedMessage[];
  /** False if it goes back instead of waiting for another attempt. */
  wait(message: RoutedMessage): boolean;
  /** The handler froze a message: the copy stands for it. */
  replace(message: RoutedMessage, copy: RoutedMessage): void;
  /** Its source gets it back; unless `all` do, only where it can take it back. */
  release(message: RoutedMessage, all: boolean): void;
  succeeded(messages: readonly RoutedMessage[]): void;
  /** Retrying is over: to be dropped, dead-lettered, failed, or to stop the pipeline. */
  gaveUp(message: RoutedMessage, reason: unknown, action: FailureAction, attempt: number): void;
  advance(): void;
  crashed(error: unknown): void;
}

/** A run in the handler. */
interface Call {
  readonly began: number;
  readonly controller: AbortController;
  timer: Timer | undefined;
}

/** Hands batches to the sink, `concurrency` at once; batches that share a partition one after the other. */
export class BatchProcessorStage {
  readonly #options: BatchProcessorStageOptions;
  readonly #order = new PartitionOrder<Run>();
  readonly #ready = new Ring<Run>();
  readonly #delayed: DelayQueue<Run>;
  readonly #calls = new Map<Run, Call>();
  /** Of calls that have ended, for handlers that declare no signal: making one costs more than all else of a call. */
  readonly #controllers: AbortController[] = [];
  #concurrency: number;
  #killed = false;
  /** Nothing with a partition starts any more; false if that holds only for what its source can take back. */
  halted: boolean | undefined = undefined;
  #looping = false;
  /** Milliseconds the thread was held by starting batches since the event loop last had its turn for it. */
  #held = 0;
  /** Messages that wait for a free slot or behind another batch of their partition. */
  queued: number = 0;
  /** Messages that wait for their next attempt. */
  waiting: number = 0;
  /** Milliseconds handlers that have ended were busy, all of them added up. */
  busy: number = 0;
  retries: number = 0;

  constructor(options: BatchProcessorStageOptions) {
    this.#options = options;
    this.#concurrency = options.concurrency;
    this.#delayed = new DelayQueue(options.clock, (run) => this.#again(run));
  }

  /** Batches in a handler. */
  get running(): number {
    return this.#calls.size;
  }

  /** The same, with those that run now. */
  measure(): number {
    const now = this.#options.clock.now();
    let sum = this.busy;
    for (const { began } of this.#calls.values()) sum += now - began;
    return sum;
  }

  /** Batches run, or can once a slot is free. */
  get active(): boolean {
    return this.#calls.size + this.#ready.length > 0;
  }

  /** Partitions in use; an unused one leaves nothing behind. */
  get partitions(): number {
    return this.#order.keys;
  }

  /** What runs beyond a lowered limit goes on; nothing starts until it is below. */
  resize(concurrency: number): void {
    this.#concurrency = concurrency;
    this.#run();
  }

  push({ messages, info }: EmittedBatch): void {
    const admitted = this.#partition(messages, info.attempt);
    if (admitted.length === 0) return;
    const run = runOf(admitted, info, info.attempt);
    this.#refuse(run);
    this.queued += admitted.length;
    if (!this.#order.enter(run)) return;
    this.#ready.push(run);
    this.#run();
  }

  /** What is over need not wait for its next attempt. */
  sweep(over: (message: RoutedMessage) => boolean): void {
    for (const run of this.#delayed.remove(({ messages }) => messages.every(over))) {
      this.waiting -= run.messages.length;
      this.#finish(run, []);
    }
    this.#run();
  }

  /** Forgets what waits and aborts what runs; whatever that still does no longer counts. */
  kill(reason: unknown): void {
    this.#killed = true;
    this.busy = this.measure();
    this.#delayed.clear();
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const { controller, timer } of calls) {
      if (timer !== undefined) this.#options.clock.clearTimer(timer);
      controller.abort(reason);
    }
  }

  /** Notes the partition of each message; one whose partition cannot be had fails alone. */
  #partition(messages: readonly RoutedMessage[], attempt: number): readonly RoutedMessage[] {
    const { partitionBy, name } = this.#options;
    if (partitionBy === undefined) return messages;
    return messages.filter((message) => {
      try {
        message.partition = checkKey(partitionBy(message), `batchers.${name}.partitionBy`);
        return true;
      } catch (error) {
        const { action } = this.#options.decide(error, Infinity);
        this.#options.gaveUp(message, error, action === "hold" ? "fail" : action, attempt);
        return false;
      }
    });
  }

  #run(): void {
    // A handler that ends at once calls this again: the loop goes on instead, or the stack would grow with every batch.
    if (this.#looping) return;
    this.#looping = true;
    const { clock } = this.#options;
    while (this.#calls.size < this.#concurrency && !this.#killed) {
      const run = this.#ready.shift();
      if (run === undefined) break;
      this.queued -= run.messages.length;
      const began = clock.now();
      this.#start(run);
      this.#held += clock.now() - began;
      if (this.#held < LONGEST) continue;
      this.#held = 0;
      // Still looping until then: nothing starts before timers and I/O had their turn.
      clock.defer(() => {
        this.#looping = false;
        this.#advance();
      });
      return;
    }
    this.#looping = false;
  }

  #advance(): void {
    try {
      this.#run();
      this.#options.advance();
    } catch (crash) {
      this.#options.crashed(crash);
    }
  }

  #start(run: Run): void {
    // What was in the handler when it was halted gets no other try.
    this.#refuse(run);
    run.messages = this.#options.start(run.messages);
    if (run.messages.length === 0) {
      this.#finish(run, []);
      return;
    }
    run.seen = run.attempt === 1 ? run.messages : run.messages.map(renewed);
    for (const message of run.seen) message.verdict = undefined;
    const controller = this.#controllers.pop() ?? new AbortController();
    const began = this.#options.clock.now();
    const call: Call = { began, controller, timer: undefined };
    this.#calls.set(run, call);
    const end = (failure?: { readonly reason: unknown }): void => {
      // A late end after a timeout, or of a stage that crashed, no longer counts.
      if (this.#calls.get(run) !== call) return;
      if (call.timer !== undefined) this.#options.clock.clearTimer(call.timer);
      this.#calls.delete(run);
      if (!this.#options.ownSignal && !controller.signal.aborted) {
        this.#controllers.push(controller);
      }
      this.busy += this.#options.clock.now() - began;
      try {
        if (failure === undefined) this.#handled(run);
        else this.#failed(run, failure.reason);
        this.#advance();
      } catch (crash) {
        this.#options.crashed(crash);
      }
    };
    try {
      // A copy: a handler may sort or empty what it is given.
      const given = run.seen.slice();
      const result = this.#options.handle(
        given,
        describe(run, this.#options.sizeOf),
        controller.signal,
      );
      if (!isThenable(result)) {
        end();
        return;
      }
      call.timer = this.#watch(controller, end);
      Promise.resolve(result).then(
        () => end(),
        (reason) => end({ reason }),
      );
    } catch (reason) {
      end({ reason });
    }
  }

  /** The handler keeps what it was given, and may freeze it, at any time: what goes on goes on as a copy. */
  #reclaim(run: Run, failed: boolean): void {
    if (run.seen !== run.messages || (!failed && run.messages.every(isFinished))) return;
    run.messages = run.messages.map((message) => {
      if (!failed && isFinished(message)) return message;
      const copy = renewed(message);
      this.#options.replace(message, copy);
      return copy;
    });
  }

  #watch(
    controller: AbortController,
    end: (failure: { readonly reason: unknown }) => void,
  ): Timer | undefined {
    const { handleTimeout, clock, name } = this.#options;
    if (handleTimeout === undefined) return undefined;
    return clock.setTimer(() => {
      const handle = `batchers.${name}.handle`;
      const reason = tookTooLong(handle, handleTimeout, `${handle}Timeout`);
      controller.abort(reason);
      end({ reason });
    }, handleTimeout);
  }

  /** The handler ended well; it may have failed or dropped single messages. */
  #handled(run: Run): void {
    if (run.seen === run.messages && areUntouched(run.messages)) {
      this.#options.succeeded(run.messages);
      this.#finish(run, []);
      return;
    }
    this.#reclaim(run, false);
    const failed: RoutedMessage[] = [];
    for (let index = 0; index < run.messages.length; index++) {
      const message = run.messages[index] as RoutedMessage;
      const { verdict, reason } = run.seen[index] as RoutedMessage;
      message.reason = reason;
      if (verdict === undefined) this.#options.succeeded([message]);
      else if (verdict === "failed") failed.push(message);
      else this.#options.gaveUp(message, reason, "drop", run.attempt);
    }
    const again: RoutedMessage[] = [];
    let delay = 0;
    for (const message of failed) {
      const decision = this.#options.decide(message.reason, run.attempt);
      this.#options.failed([message], message.reason, run.attempt, decision);
      if (isRetry(decision.action)) {
        again.push(message);
        delay = Math.max(delay, decision.delay);
        continue;
      }
      this.#options.gaveUp(message, message.reason, decision.action, run.attempt);
    }
    this.#retry(run, again, delay);
  }

  /** The handler failed as a whole. */
  #failed(run: Run, error: unknown): void {
    this.#reclaim(run, true);
    const rest = run.messages.filter((message, index) => {
      const { verdict, reason } = run.seen[index] as RoutedMessage;
      if (verdict !== "dropped") return true;
      this.#options.gaveUp(message, reason, "drop", run.attempt);
      return false;
    });
    const decision = this.#options.decide(error, run.attempt);
    const { action, delay } = decision;
    const halve = action !== "retry" && this.#options.bisect && rest.length > 1;
    this.#options.failed(rest, error, run.attempt, halve ? HALVED : decision);
    if (halve) {
      const middle = rest.length >> 1;
      this.#finish(run, [rest.slice(0, middle), rest.slice(middle)]);
      return;
    }
    if (isRetry(action)) {
      this.#retry(run, rest, delay);
      return;
    }
    for (const message of rest) this.#options.gaveUp(message, error, action, run.attempt);
    this.#finish(run, []);
  }

  /** A message goes back: what is ordered behind it must not overtake it. */
  halt(all: boolean): void {
    if (this.halted === true || this.halted === all) return;
    this.halted = all;
    for (const run of this.#order.items()) if (!this.#calls.has(run)) this.#refuse(run);
  }

  /** What has been halted does not start. */
  #refuse({ keys, messages }: Run): void {
    const { halted } = this;
    if (halted === undefined || keys.size === 0) return;
    for (const message of messages) this.#options.release(message, halted);
  }

  /** The rest of a run waits for its next attempt, and keeps its partitions meanwhile. */
  #retry(run: Run, messages: readonly RoutedMessage[], delay: number): void {
    this.#refuse({ ...run, messages });
    const again = messages.filter((message) => this.#options.wait(message));
    if (again.length === 0) {
      this.#finish(run, []);
      return;
    }
    const rest = runOf(again, run.info, run.attempt + 1);
    this.retries++;
    this.waiting += again.length;
    this.#enqueue(this.#order.replace(run, [rest]).filter((ready) => ready !== rest));
    this.#delayed.add(rest, delay);
  }

  #again(run: Run): void {
    this.waiting -= run.messages.length;
    this.queued += run.messages.length;
    this.#ready.unshift(run);
    this.#advance();
  }

  /** The run is over, or goes on in parts. */
  #finish(run: Run, parts: readonly (readonly RoutedMessage[])[]): void {
    const runs = parts.map((messages) => runOf(messages, run.info, run.attempt + 1));
    for (const { messages } of runs) this.queued += messages.length;
    this.#enqueue(this.#order.replace(run, runs));
  }

  #enqueue(ready: readonly Run[]): void {
    for (const run of ready) this.#ready.push(run);
  }
}

const HALVED = { action: "bisect", delay: 0 } as const;
