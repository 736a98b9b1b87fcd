import type { Clock } from "../clock.ts";
import type { Message } from "../message.ts";
import { enter, type HandleContext, handleChannel, leave, traced } from "../telemetry.ts";
import { Alarm } from "./alarm.ts";
import type { Delivery } from "./delivery.ts";
import type { Ledger } from "./ledger.ts";
import type { Scheduler } from "./scheduler.ts";
import { isThenable } from "./thenable.ts";
import { tookTooLong } from "./time-limit.ts";
import type { Turn } from "./turn.ts";

const { then } = Promise.prototype;

/** Messages that one timed message stands for at most. */
const LONGEST_STRIDE = 256;

export interface ProcessorStageOptions {
  /** For spans. */
  readonly pipeline: string;
  readonly clock: Clock;
  readonly turn: Turn;
  readonly ledger: Ledger;
  readonly scheduler: Scheduler<Delivery>;
  readonly concurrency: number;
  /** Milliseconds one call of the handler may take. */
  readonly timeout: number | undefined;
  /** Whether each message needs a signal of its own, because its handler declares one. */
  readonly ownSignal: boolean;
  handle(message: Message<unknown>, signal: AbortSignal): unknown;
  handled(delivery: Delivery, result: unknown): void;
  failed(delivery: Delivery, error: unknown): void;
  /** Makes a message of what is none yet. */
  admit(delivery: Delivery): void;
  /** The turn of a message has come that cannot be handled. */
  defective(delivery: Delivery): void;
  /** A handler that was awaited has ended, and what could start has started. */
  advance(): void;
  crashed(error: unknown): void;
}

/** Runs the handler on up to `concurrency` messages at once; the next message goes to an idle slot at once. */
export class ProcessorStage {
  readonly #options: ProcessorStageOptions;
  #concurrency: number;
  #slots: Slot[] = [];
  #idle: Slot[] = [];
  readonly #alarm: Alarm;
  #killed = false;
  #looping = false;
  /** Messages in a handler. */
  running: number = 0;
  /** Milliseconds handlers that have ended were busy, all slots added up; estimated from every so manieth message. */
  busy: number = 0;
  /** A look at the clock for every message costs; once there are many, a sample will do. */
  #stride = 1;
  #untilSample = 1;
  #sampledAt = -Infinity;

  constructor(options: ProcessorStageOptions) {
    this.#options = options;
    this.#concurrency = options.concurrency;
    this.#alarm = new Alarm(options.clock, () => this.#expire());
  }

  /** The same, with those that run now: from this look on each is timed, and stands for itself. */
  measure(): number {
    const { clock, timeout } = this.#options;
    const now = clock.now();
    let sum = this.busy;
    for (const slot of this.#slots) {
      if (slot.delivery === undefined) continue;
      if (slot.sampled === 0 && timeout === undefined) slot.startedAt = now;
      slot.sampled = 1;
      sum += now - slot.startedAt;
    }
    return sum;
  }

  /** What runs beyond a lowered limit goes on; nothing starts until it is below. */
  resize(concurrency: number): void {
    this.#concurrency = concurrency;
  }

  /** Starts messages while there are any and a slot is free. */
  run(): void {
    if (this.#looping) return;
    this.#looping = true;
    const { scheduler, ledger, turn, admit } = this.#options;
    try {
      while (this.running < this.#concurrency && !this.#killed && !turn.spent()) {
        const delivery = scheduler.next();
        if (delivery === undefined) break;
        // What was released while it was ready is not run.
        if (delivery.settled) {
          scheduler.done(delivery);
          continue;
        }
        if (delivery.message === undefined && delivery.defect === undefined) admit(delivery);
        if (delivery.defect !== undefined) this.#options.defective(delivery);
        else if (ledger.start(delivery)) this.#start(delivery);
      }
    } catch (crash) {
      this.#options.crashed(crash);
    } finally {
      this.#looping = false;
    }
  }

  /** Aborts what runs; whatever it still does no longer counts. */
  kill(reason: unknown): void {
    this.#killed = true;
    this.busy = this.measure();
    this.#alarm.clear();
    const slots = this.#slots;
    this.#slots = [];
    this.#idle = [];
    this.running = 0;
    for (const slot of slots) slot.abandon(reason);
  }

  /** Aborts one message, if it runs; whatever its handler still does no longer counts. */
  abandon(delivery: Delivery, reason: unknown): void {
    const slot = this.#slots.find((candidate) => candidate.delivery === delivery);
    if (slot !== undefined) this.#abandon(slot, reason);
  }

  #start(delivery: Delivery): void {
    const { handle, ownSignal } = this.#options;
    // Taken only if there is something to wait for: nothing else starts while the handler has the thread.
    const { length } = this.#idle;
    // A look before the first of an array costs every later look into it.
    const slot = length === 0 ? this.#open() : (this.#idle[length - 1] as Slot);
    if (--this.#untilSample <= 0) this.#sample(slot);
    this.running++;
    let result: unknown;
    try {
      const message = delivery.message as Message<unknown>;
      const signal = slot.signal(ownSignal);
      const span = traced(handleChannel) ? this.#span(message) : undefined;
      result =
        span === undefined
          ? handle(message, signal)
          : enter(handleChannel, span, handle, message, signal);
      if (isThenable(result)) {
        slot.span = span;
        this.#await(slot, delivery, result);
        return;
      }
    } catch (error) {
      if (this.#ended(slot, delivery)) this.#options.failed(delivery, error);
      return;
    }
    if (this.#ended(slot, delivery)) this.#options.handled(delivery, result);
  }

  /** A handler that did not have to be awaited has ended; false if it stopped the very stage it runs in. */
  #ended(slot: Slot, delivery: Delivery): boolean {
    if (slot.sampled > 0) this.#count(slot);
    if (this.#killed) return false;
    this.running--;
    return this.#options.ledger.isRunning(delivery);
  }

  #span({ source, attempt, receivedAt }: Message<unknown>): HandleContext {
    return { pipeline: this.#options.pipeline, source, attempt, receivedAt };
  }

  #sample(slot: Slot): void {
    const now = this.#options.clock.now();
    if (now - this.#sampledAt < 1) this.#stride = Math.min(LONGEST_STRIDE, this.#stride * 2);
    else this.#stride = Math.max(1, this.#stride >> 1);
    this.#sampledAt = now;
    this.#untilSample = this.#stride;
    slot.sampled = this.#stride;
    slot.startedAt = now;
  }

  #open(): Slot {
    const slot = new Slot(this.#slots.length, this.#fulfilled, this.#rejected);
    this.#slots.push(slot);
    this.#idle.push(slot);
    return slot;
  }

  #await(slot: Slot, delivery: Delivery, result: PromiseLike<unknown>): void {
    const { handled, failed } = slot;
    // A foreign thenable may call back twice, or throw, and so may a `then` of its own: the language's does not.
    if (isPlain(result)) void result.then(handled, failed);
    else void then.call(Promise.resolve(result), handled, failed);
    if (!this.#killed) this.#occupy(slot, delivery);
  }

  #occupy(slot: Slot, delivery: Delivery): void {
    this.#idle.pop();
    slot.delivery = delivery;
    if (this.#options.timeout === undefined) return;
    if (slot.sampled === 0) slot.startedAt = this.#options.clock.now();
    if (!this.#alarm.isSet) this.#alarm.set(this.#options.timeout);
  }

  readonly #fulfilled = (slot: Slot, delivery: Delivery, result: unknown): void => {
    try {
      if (!this.#free(slot, delivery)) return;
      this.#options.handled(delivery, result);
      this.run();
      this.#options.advance();
    } catch (crash) {
      this.#options.crashed(crash);
    }
  };

  readonly #rejected = (slot: Slot, delivery: Delivery, error: unknown): void => {
    try {
      if (!this.#free(slot, delivery)) return;
      this.#options.failed(delivery, error);
      this.run();
      this.#options.advance();
    } catch (crash) {
      this.#options.crashed(crash);
    }
  };

  /** False if the slot was abandoned meanwhile: the handler may have stopped the very stage it runs in. */
  #free(slot: Slot, delivery: Delivery): boolean {
    if (slot.delivery !== delivery) return false;
    slot.delivery = undefined;
    if (slot.sampled > 0) this.#count(slot);
    this.running--;
    this.#idle.push(slot);
    return true;
  }

  #count(slot: Slot): void {
    this.busy += (this.#options.clock.now() - slot.startedAt) * slot.sampled;
    slot.sampled = 0;
  }

  #abandon(slot: Slot, reason: unknown): void {
    this.#count(slot);
    const fresh = new Slot(slot.index, this.#fulfilled, this.#rejected);
    this.#slots[slot.index] = fresh;
    this.#idle.push(fresh);
    this.running--;
    slot.abandon(reason);
  }

  /** One timer serves every slot: all have the same timeout, so the oldest expires first. */
  #expire(): void {
    const timeout = this.#options.timeout as number;
    const now = this.#options.clock.now();
    let next = Infinity;
    const expired: Slot[] = [];
    for (const slot of this.#slots) {
      if (slot.delivery === undefined) continue;
      const left = slot.startedAt + timeout - now;
      // Node's timers may come a fraction of a millisecond early.
      if (left < 1) expired.push(slot);
      else next = Math.min(next, left);
    }
    if (next !== Infinity) this.#alarm.set(next);
    for (const slot of expired) {
      const delivery = slot.delivery as Delivery;
      const error = tookTooLong("processor.handle", timeout);
      this.#abandon(slot, error);
      this.#options.failed(delivery, error);
    }
    if (expired.length === 0) return;
    this.run();
    this.#options.advance();
  }
}

/** One place to run a handler in; its callbacks are made once, not per message. */
class Slot {
  readonly index: number;
  delivery: Delivery | undefined = undefined;
  startedAt: number = 0;
  /** How many messages this one stands for in the sample of handling times; 0 if it is not in it. */
  sampled: number = 0;
  /** Of the handler that is awaited, over its end in the pipeline. */
  span: HandleContext | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  #signal: AbortSignal | undefined = undefined;
  readonly handled: (result: unknown) => void;
  readonly failed: (error: unknown) => void;

  constructor(
    index: number,
    fulfilled: (slot: Slot, delivery: Delivery, result: unknown) => void,
    rejected: (slot: Slot, delivery: Delivery, error: unknown) => void,
  ) {
    this.index = index;
    this.handled = (result) => {
      if (this.span !== undefined) this.#leave();
      if (this.delivery !== undefined) fulfilled(this, this.delivery, result);
    };
    this.failed = (error) => {
      if (this.span !== undefined) this.#leave({ reason: error });
      if (this.delivery !== undefined) rejected(this, this.delivery, error);
    };
  }

  /** A handler that declares no signal shares the slot's: making one costs more than all else. */
  signal(own: boolean): AbortSignal {
    return own || this.#signal === undefined ? this.#newSignal() : this.#signal;
  }

  #newSignal(): AbortSignal {
    this.#controller = new AbortController();
    this.#signal = this.#controller.signal;
    return this.#signal;
  }

  #leave(failure?: { readonly reason: unknown }): void {
    const span = this.span as HandleContext;
    this.span = undefined;
    leave(handleChannel, span, failure);
  }

  abandon(reason: unknown): void {
    // The signal of a handler that has ended stays as it is.
    if (this.delivery === undefined) return;
    this.delivery = undefined;
    this.#controller?.abort(reason);
  }
}

/** A promise of the language, with a `then` of the language; whatever pretends to be one throws when it is asked. */
function isPlain(result: PromiseLike<unknown>): result is Promise<unknown> {
  return result.then === then && result.constructor === Promise;
}
