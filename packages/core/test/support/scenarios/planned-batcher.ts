import type { Batch, BatcherOptions, Message } from "westend";
import type { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { type Delivery, describeDelivery, type Unit } from "./book.ts";
import { type BatchCallPlan, type BatcherPlan, PlannedError, type Scenario } from "./plan.ts";
import { actionOn, canReturn, policyOf } from "./failing.ts";
import type { Running } from "./planned-processor.ts";
import { after, demand, turnOf } from "./promises.ts";

type Messages = readonly Message<Unit, Delivery>[];

export interface PlannedBatcherOptions {
  readonly clock: VirtualClock;
  readonly name: string;
  readonly scenario: Scenario;
  readonly plan: BatcherPlan;
  /** The limit that holds now. */
  concurrency(): number;
  /** The highest that has been in force. */
  size(): number;
  called(what: "batch"): void;
  /** A drain is under way. */
  draining(): boolean;
}

/** A batcher that does as planned, and finds fault with its batches. */
export class PlannedBatcher {
  readonly #options: PlannedBatcherOptions;
  readonly #running = new Set<readonly Unit[]>();
  /** In the order in which they were first handled. */
  readonly #seen = new Set<Unit>();
  readonly #poisoned = new Map<Unit, number>();
  #calls = 0;

  constructor(options: PlannedBatcherOptions) {
    this.#options = options;
  }

  get options(): BatcherOptions<Unit, Delivery> {
    const { plan, scenario } = this.#options;
    const { size, bytes, timeout, weighs, split, partitions, concurrency, bisect } = plan;
    return {
      size,
      bytes,
      timeout,
      concurrency,
      bisect,
      handleTimeout: plan.handleTimeout,
      retry: policyOf(plan.retry, scenario),
      ...(weighs && { weight: ({ data }) => data.route?.weight ?? 1 }),
      ...(split !== undefined && {
        splitBy: () => {
          let left = split;
          return () => --left <= 0;
        },
      }),
      ...(partitions && { partitionBy: ({ data }) => data.route?.partition }),
      handle: (messages, batch, signal) => this.#handle(messages, batch, signal),
    };
  }

  #handle(messages: Messages, batch: Batch, signal: AbortSignal): void | Promise<void> {
    const { clock, plan, called } = this.#options;
    const units = messages.map(({ data }) => data);
    this.#look(messages, units, batch);
    const root = units[0]?.root ?? Symbol("batch");
    for (const unit of units) {
      unit.root ??= root;
      unit.attempt = batch.attempt;
      unit.running = true;
      unit.again = true;
      this.#seen.add(unit);
    }
    this.#running.add(units);
    const call: Running = { over: false };
    const abort = (): void => this.#failAll(units, call, signal.reason);
    signal.addEventListener("abort", abort);
    called("batch");
    const usual: BatchCallPlan = {
      wait: plan.wait,
      heeds: true,
      throws: false,
      verdict: true,
      each: [],
    };
    const doing = plan.calls[this.#calls++] ?? usual;
    return after(clock, doing.wait, doing.heeds ? signal : undefined, () => {
      signal.removeEventListener("abort", abort);
      this.#end(messages, units, doing, call);
    });
  }

  #look(messages: Messages, units: readonly Unit[], batch: Batch): void {
    const { plan, name, concurrency, size } = this.#options;
    const detail = (): string =>
      `Attempt ${batch.attempt} of ${name}: ${units.map(({ delivery }) => describeDelivery(delivery)).join("; ")}`;
    demand(units.length > 0, "no batch is empty");
    demand(new Set(units).size === units.length, "no message is in a batch twice", detail);
    demand(batch.size === units.length, "a batch knows its size", detail);
    demand(this.#running.size < concurrency(), "no more batches run than allowed", detail);
    const weight = units.reduce(
      (sum, unit) => sum + (plan.weighs ? (unit.route?.weight ?? 1) : 1),
      0,
    );
    demand(weight <= size() || units.length === 1, "no batch is over its size", detail);
    const bytes = units.reduce((sum, unit) => sum + bytesOf(unit), 0);
    demand(bytes === batch.bytes, "a batch knows its bytes", detail);
    demand(
      plan.bytes === undefined || bytes <= plan.bytes || units.length === 1,
      "no batch is over its bytes",
      detail,
    );
    for (const [index, unit] of units.entries()) {
      demand(unit.batcher === name, "a message is where it was sent", detail);
      demand(unit.state === "open", "what has ended is in no batch", detail);
      demand(!unit.running, "each message is in one batch at a time", detail);
      demand(unit.root === units[0]?.root, "a batch is tried again on its own", detail);
      demand(
        unit.attempt === 0 ? batch.attempt === 1 : batch.attempt === unit.attempt + 1,
        "each message is in one batch for each attempt",
        detail,
      );
      demand(unit.route?.key === batch.key, "a batch is of one batch key", detail);
      const { key } = unit.delivery;
      const before = units.slice(0, index).filter(({ delivery }) => delivery.key === key);
      demand(
        key === undefined || before.every(({ order }) => order < unit.order),
        "what is ordered by a key is so in its batch",
        detail,
      );
      const { state } = unit.delivery;
      demand(
        state === "out" || unit.delivery.earlyTaken,
        "nothing starts that was given back",
        detail,
      );
      if (unit.attempt > 0) this.#lookAtRetry(unit, detail);
    }
    if (plan.partitions) this.#lookAtPartitions(units, batch, detail);
    void messages;
  }

  #lookAtRetry(unit: Unit, detail: () => string): void {
    const { plan, clock } = this.#options;
    // A timer may come a fraction of a millisecond early.
    const waited = clock.now() - unit.failedAt;
    demand(
      unit.halved || waited > (plan.retry?.backoff ?? 0) - 1,
      "a retry waits for its back-off",
      detail,
    );
    demand(!unit.delivery.revoked, "nothing of what is revoked is tried again", detail);
    demand(!unit.returns, "nothing that goes back in a drain is tried again", detail);
    demand(unit.again, "nothing is tried more often than its policy says", detail);
  }

  #lookAtPartitions(units: readonly Unit[], batch: Batch, detail: () => string): void {
    const partitions = new Set(units.map(({ route }) => route?.partition));
    const { scenario } = this.#options;
    const behind = units.filter(({ delivery }) => canReturn(delivery, scenario));
    const shared = partitions.size === 1 ? units[0]?.route?.partition : undefined;
    demand(batch.partition === shared, "a batch knows the partition its messages share", detail);
    for (const other of this.#seen) {
      if (!partitions.has(other.route?.partition) || units.includes(other)) continue;
      demand(!other.running, "batches of a partition do not overlap", detail);
      demand(
        !other.returns ||
          other.delivery.revoked ||
          !behind.some(({ route }) => route?.partition === other.route?.partition),
        "nothing overtakes what goes back in a drain",
        () => `${detail()} before ${describeDelivery(other.delivery)}`,
      );
      const { state, earlyTaken, revoked } = other.delivery;
      const held = other.again && !revoked && (state === "out" || earlyTaken);
      demand(
        !held || other.root === units[0]?.root,
        "a partition is held over retries",
        () => `${detail()} before ${describeDelivery(other.delivery)}`,
      );
    }
  }

  #end(
    messages: Messages,
    units: readonly Unit[],
    { throws, verdict, each }: BatchCallPlan,
    call: Running,
  ): void {
    const reasons = new Map<Unit, PlannedError>();
    for (const [index, message] of messages.entries()) {
      const says = each.length === 0 ? "ok" : turnOf(each, index);
      if (says === "ok") continue;
      const reason = new PlannedError(verdict);
      if (says === "drop") message.drop(reason);
      else message.fail(reason);
      if (call.over) continue;
      if (says === "drop") {
        message.data.state = "dropped";
        message.data.again = false;
        message.data.reasonOfDrop = reason;
      } else reasons.set(message.data, reason);
    }
    const reason = new PlannedError(verdict);
    if (throws || this.#isPoisoned(units)) {
      this.#failAll(units, call, reason);
      throw reason;
    }
    if (call.over) return;
    this.#free(units, call);
    for (const unit of units) {
      const failure = reasons.get(unit);
      if (failure !== undefined) this.#fail(unit, failure, false);
      else {
        unit.again = false;
        if (unit.state === "open") unit.state = "succeeded";
      }
    }
  }

  #isPoisoned(units: readonly Unit[]): boolean {
    let poisoned = false;
    for (const unit of units) {
      const before = this.#poisoned.get(unit) ?? 0;
      if (before >= (unit.route?.poison ?? 0)) continue;
      this.#poisoned.set(unit, before + 1);
      poisoned = true;
    }
    return poisoned;
  }

  #free(units: readonly Unit[], call: Running): void {
    call.over = true;
    this.#running.delete(units);
    for (const unit of units) unit.running = false;
  }

  #failAll(units: readonly Unit[], call: Running, reason: unknown): void {
    if (call.over) return;
    this.#free(units, call);
    const open = units.filter(({ state }) => state === "open");
    const halved = this.#options.plan.bisect && open.length > 1;
    for (const unit of open) this.#fail(unit, reason, halved);
  }

  #fail(unit: Unit, reason: unknown, halved: boolean): void {
    unit.reason = reason;
    unit.failedAt = this.#options.clock.now();
    const action = actionOn(unit, this.#options.scenario);
    unit.again = action === "retry" || action === "hold";
    const { draining, scenario } = this.#options;
    unit.returns = unit.again && draining() && canReturn(unit.delivery, scenario);
    // Policy comes before halving, and halving before giving up.
    unit.halved = halved && action !== "retry";
    if (unit.halved) {
      unit.again = true;
      unit.returns = false;
    } else if (action === "drop") unit.state = "dropped";
    // Stopping gives the whole message up, with all of its branches.
    else if (action === "stop") for (const one of unit.delivery.branches) one.again = false;
  }
}

function bytesOf({ route, delivery }: Unit): number {
  return route?.size ?? (delivery.pushed ? 0 : delivery.plan.size);
}
