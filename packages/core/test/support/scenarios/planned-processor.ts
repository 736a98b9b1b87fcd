import type { Message, ProcessorOptions } from "westend";
import type { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { type Delivery, describeDelivery, handlingOf, makeUnit, type Unit } from "./book.ts";
import { actionOn, canReturn, policyOf } from "./failing.ts";
import { type HandlePlan, type MessagePlan, PlannedError, type Scenario } from "./plan.ts";
import { after, demand, turnOf } from "./promises.ts";

export interface PlannedProcessorOptions {
  readonly clock: VirtualClock;
  readonly plan: Scenario;
  /** The limit that holds now. */
  concurrency(): number;
  called(what: "handle"): void;
  /** A drain is under way. */
  draining(): boolean;
}

/** A call of a handler that counts: it has neither ended nor been given up. */
export interface Running {
  over: boolean;
}

/** A processor that does as planned, and finds fault with when it is called. */
export class PlannedProcessor {
  readonly #options: PlannedProcessorOptions;
  readonly #running = new Set<Unit>();
  /** Deliveries of each key in the order in which handling them began. */
  readonly #begun = new Map<unknown, Delivery[]>();
  /** How often each message could not be decoded. */
  readonly #undecoded = new Map<number, number>();
  #decodes = 0;
  #prepares = 0;

  constructor(options: PlannedProcessorOptions) {
    this.#options = options;
  }

  get options(): ProcessorOptions<number, Delivery, unknown> {
    const { concurrency, ownSignal, partitions, preparing, timeout } = this.#options.plan.processor;
    return {
      concurrency,
      timeout,
      retry: policyOf(this.#options.plan.processor.retry, this.#options.plan),
      ...(partitions && { partitionBy: (message) => orderOf(message.metadata, true) }),
      ...(preparing !== undefined && {
        prepare: (messages) => {
          const number = ++this.#prepares;
          const { wait, throws } = turnOf(preparing, number - 1);
          return after(this.#options.clock, wait, undefined, () => {
            // Alone none is to blame for ever: what is held would never end.
            if (throws && (messages.length > 1 || number % 3 === 0)) {
              throw new PlannedError(true);
            }
          });
        },
      }),
      handle: ownSignal
        ? (message, signal) => this.#handle(message, signal)
        : (...given) => this.#handle(...given),
    };
  }

  /** Fails as often as planned. */
  decode(id: number, { undecodable }: MessagePlan): number | Promise<number> {
    const { clock, plan } = this.#options;
    const wait = turnOf(plan.processor.decoding ?? [null], this.#decodes++);
    return after(clock, wait, undefined, () => {
      const failures = this.#undecoded.get(id) ?? 0;
      if (failures >= undecodable) return id;
      this.#undecoded.set(id, failures + 1);
      throw new PlannedError(true);
    });
  }

  #handle(message: Message<number, Delivery>, signal: AbortSignal): unknown {
    const { called, clock } = this.#options;
    const delivery = message.metadata;
    const { unit } = delivery;
    this.#look(message);
    const plan = handlingOf(delivery);
    delivery.begun = true;
    delivery.handled++;
    unit.attempt = message.attempt;
    unit.running = true;
    this.#running.add(unit);
    const call: Running = { over: false };
    const abort = (): void => this.#fail(unit, call, signal.reason);
    signal.addEventListener("abort", abort);
    called("handle");
    if (plan.acknowledgesNow) acknowledgeNow(message);
    return after(clock, plan.wait, plan.heeds ? signal : undefined, () => {
      signal.removeEventListener("abort", abort);
      return this.#end(message, plan, call);
    });
  }

  /** It may be handled now. */
  #look(message: Message<number, Delivery>): void {
    const delivery = message.metadata;
    const { unit, key } = delivery;
    const { plan, clock, concurrency } = this.#options;
    const detail = (): string => `Attempt ${message.attempt} of ${describeDelivery(delivery)}`;
    demand(!unit.running, "no message is in two handlers at once", detail);
    demand(unit.state === "open", "what has ended is not handled again", detail);
    const held = delivery.state === "out" || delivery.earlyTaken;
    demand(held && !delivery.ended, "nothing starts that was given back", detail);
    const expected = delivery.begun ? unit.attempt + 1 : undefined;
    demand(
      expected === undefined || message.attempt === expected,
      "attempts count on by one",
      detail,
    );
    // One that has to be prepared alone first had its place before.
    const allowed = plan.processor.preparing === undefined ? concurrency() : Infinity;
    demand(this.#running.size < allowed, "no more handlers run than allowed", detail);
    if (delivery.begun) {
      const { retry: policy } = plan.processor;
      demand(!unit.returns, "nothing that goes back in a drain is tried again", detail);
      demand(!delivery.revoked, "nothing of what is revoked is tried again", detail);
      demand(policy !== undefined, "nothing is tried again without a policy", detail);
      // A timer may come a fraction of a millisecond early.
      const waited = clock.now() - unit.failedAt;
      demand(waited > policy.backoff - 1, "a retry waits for its back-off", detail);
      const action = actionOn(unit, plan);
      demand(
        action === "retry" || action === "hold",
        "nothing is tried more often than its policy says",
        detail,
      );
    }
    if (key === undefined) return;
    const before = this.#begun.get(key) ?? [];
    this.#begun.set(key, before);
    for (const other of before) {
      if (other === delivery) continue;
      demand(
        other.ended || (other.revoked && !other.unit.running),
        "one message of a key at a time, over retries",
        () => `${detail()} while ${describeDelivery(other)}`,
      );
      demand(
        other.order < delivery.order ||
          other.session !== delivery.session ||
          other.pushed ||
          // Its partition was not known before it could be decoded.
          (plan.processor.partitions && delivery.plan.undecodable > 0),
        "messages of a key are handled in order of arrival",
        () => `${detail()} after ${describeDelivery(other)}`,
      );
    }
    if (!before.includes(delivery)) before.push(delivery);
  }

  #end(message: Message<number, Delivery>, plan: HandlePlan, call: Running): unknown {
    const delivery = message.metadata;
    const { unit } = delivery;
    const counts = !call.over;
    const reason = new PlannedError(plan.verdict);
    if (plan.end === "throw") {
      this.#fail(unit, call, reason);
      throw reason;
    }
    if (plan.end === "fail") {
      message.fail(reason);
      this.#fail(unit, call, reason);
      return undefined;
    }
    if (plan.end === "garbage") {
      this.#fail(unit, call, undefined);
      return 42;
    }
    this.#free(unit, call);
    if (plan.end === "drop") message.drop(reason);
    if (counts) {
      delivery.ended = true;
      unit.reasonOfDrop = reason;
      unit.state = plan.end === "drop" ? "dropped" : "succeeded";
    }
    return plan.end === "drop" ? undefined : this.#route(message, counts);
  }

  #route(message: Message<number, Delivery>, counts: boolean): unknown {
    const delivery = message.metadata;
    const { batchers } = this.#options.plan;
    const routes = delivery.plan.routes.filter(({ batcher }) => batcher < batchers.length);
    const units = routes.map((route) => makeUnit(delivery, route));
    if (counts) delivery.branches = units;
    const results = units.map((unit, index) => {
      const { key, flush, size } = routes[index] as (typeof routes)[0];
      return message.to(unit.batcher as string, unit, { key, flush, size });
    });
    return results.length < 2 ? results[0] : results;
  }

  #free(unit: Unit, call: Running): void {
    if (call.over) return;
    call.over = true;
    unit.running = false;
    this.#running.delete(unit);
  }

  #fail(unit: Unit, call: Running, reason: unknown): void {
    if (call.over) return;
    this.#free(unit, call);
    unit.reason = reason;
    unit.failedAt = this.#options.clock.now();
    const { plan, draining } = this.#options;
    const action = actionOn(unit, plan);
    const again = action === "retry" || action === "hold";
    unit.returns = again && draining() && canReturn(unit.delivery, plan);
    if (action === "drop") {
      unit.state = "dropped";
      unit.delivery.ended = true;
    }
  }
}

function acknowledgeNow(message: Message<number, Delivery>): void {
  const delivery = message.metadata;
  delivery.early = true;
  message.ackNow().catch(() => {});
  delivery.early = false;
}

export function orderOf(delivery: Pick<Delivery, "plan">, partitions: boolean): string | undefined {
  const { key } = delivery.plan;
  if (key === undefined) return undefined;
  return partitions ? `by partition ${key % 2}` : `of source ${key}`;
}
