import type { Outcome } from "../acknowledger.ts";
import type { RoutedMessage } from "../message.ts";
import type { StopReport } from "../report.ts";
import { type Account, Arrival, type SettledGroup } from "./account.ts";
import { type Delivery, type FanOut, isSeveral } from "./delivery.ts";
import * as DeliveryState from "./delivery-state.ts";
import * as RouteState from "./route-state.ts";

/** The state in which what has an outcome ends. */
const END: Readonly<Record<Outcome, number>> = {
  dropped: DeliveryState.dropped,
  succeeded: DeliveryState.succeeded,
  deadLettered: DeliveryState.deadLettered,
  failed: DeliveryState.failed,
};

/** Knows every message and where it stands; the only place that says "acknowledge", and it says it once. A pure state machine. */
export class Ledger {
  inFlight: number = 0;
  bytes: number = 0;
  /** Steps that were refused because the message was not where the step starts. Anything but 0 is a defect of the runtime. */
  violations: number = 0;
  /** How many deliveries have ended in each state. */
  readonly #ended: number[] = Array.from({ length: DeliveryState.abandoned + 1 }, () => 0);

  #received = 0;
  /** Settled, and not yet taken to be acknowledged. */
  unacknowledged: number = 0;

  /** Received and neither settled nor given up. */
  get unsettled(): number {
    return this.#ended.reduce((rest, count) => rest - count, this.#received);
  }

  report(): StopReport {
    const ended = (state: number): number => this.#ended[state] as number;
    return {
      received: this.#received,
      succeeded: ended(DeliveryState.succeeded),
      failed: ended(DeliveryState.failed),
      deadLettered: ended(DeliveryState.deadLettered),
      dropped: ended(DeliveryState.dropped),
      released: ended(DeliveryState.released),
      abandoned: ended(DeliveryState.abandoned),
    };
  }

  /** Something comes; at most so many messages. */
  arrive(account: Account, at: number, date: number, messages: number): Arrival {
    return new Arrival(account, at, date, messages);
  }

  /** Everything that came with one pull is there. */
  receive(arrival: Arrival): void {
    const { account, received, bytes } = arrival;
    if (received === 0) return;
    account.admit(arrival);
    this.#received += received;
    this.inFlight += received;
    this.bytes += bytes;
    account.inFlight += received;
    account.bytes += bytes;
  }

  /** A handler begins. */
  start(delivery: Delivery): boolean {
    if (delivery.state !== DeliveryState.received) return this.#refuse();
    delivery.state = DeliveryState.running;
    return true;
  }

  isRunning({ state }: Delivery): boolean {
    return state === DeliveryState.running;
  }

  /** An attempt failed; another one will be made. */
  wait(delivery: Delivery): boolean {
    if (delivery.state > DeliveryState.running) return this.#refuse();
    delivery.state = DeliveryState.waiting;
    return true;
  }

  /** Ready for an attempt again: after a wait, or because the stage that ran it crashed. */
  again(delivery: Delivery): boolean {
    if (delivery.state !== DeliveryState.waiting && delivery.state !== DeliveryState.running) {
      return this.#refuse();
    }
    delivery.state = DeliveryState.received;
    return true;
  }

  /** The handler sent it to batchers: it ends when every branch has. The array is the ledger's from now on. */
  route(delivery: Delivery, routes: RoutedMessage | RoutedMessage[]): boolean {
    if (delivery.state !== DeliveryState.running) return this.#refuse();
    delivery.state = DeliveryState.routed;
    delivery.routes = isSeveral(routes)
      ? { branches: routes, open: routes.length, worst: DeliveryState.dropped, reason: undefined }
      : routes;
    return true;
  }

  /** Ran out of policy; it ends when the failure has been dealt with. */
  giveUp(delivery: Delivery): boolean {
    if (delivery.state > DeliveryState.waiting) return this.#refuse();
    delivery.state = DeliveryState.failing;
    return true;
  }

  succeed(delivery: Delivery): boolean {
    if (delivery.state !== DeliveryState.running) return this.#refuse();
    this.#settle(delivery, DeliveryState.succeeded, undefined);
    return true;
  }

  drop(delivery: Delivery, reason: unknown): boolean {
    if (delivery.state > DeliveryState.waiting) return this.#refuse();
    this.#settle(delivery, DeliveryState.dropped, reason);
    return true;
  }

  /** The failure has been dealt with: dead-lettered, or to be handed back as failed. */
  fail(delivery: Delivery, outcome: "failed" | "deadLettered", reason: unknown): boolean {
    if (delivery.state !== DeliveryState.failing) return this.#refuse();
    this.#settle(delivery, END[outcome], reason);
    return true;
  }

  /** A branch moves inside its batcher; refused once its failure is dealt with, or the delivery is over. */
  move(route: RoutedMessage, state: number): boolean {
    if (route.state >= RouteState.failing || state >= RouteState.settled) return this.#refuse();
    if ((route.origin as Delivery).state !== DeliveryState.routed) return this.#refuse();
    route.state = state;
    return true;
  }

  /** From now on another object stands for a branch. */
  replaceRoute(route: RoutedMessage, copy: RoutedMessage): void {
    copy.state = route.state;
    const delivery = route.origin as Delivery;
    const { routes } = delivery;
    if (routes === route) delivery.routes = copy;
    else if (routes !== undefined && "branches" in routes) {
      const { branches } = routes;
      // A search for each would take a wide fan-out whose batches fail the square of its width.
      routes.places ??= new Map(branches.map((one, place) => [one, place]));
      const place = routes.places.get(route);
      if (place === undefined) return;
      routes.places.delete(route);
      routes.places.set(copy, place);
      branches[place] = copy;
    }
  }

  /** A branch is over; the last one settles the delivery with the worst that became of any. */
  settleRoute(route: RoutedMessage, outcome: Outcome, reason: unknown): boolean {
    const delivery = route.origin as Delivery;
    if (delivery.state !== DeliveryState.routed || !canEnd(route.state, outcome)) {
      return this.#refuse();
    }
    route.state = RouteState.settled;
    const { routes } = delivery;
    if (routes === route) this.#settle(delivery, END[outcome], reason);
    else this.#settleBranch(delivery, routes as FanOut, END[outcome], reason);
    return true;
  }

  /** A branch has been handled: as `settleRoute` has it, but a look-up of the outcome costs for so many. */
  succeedRoute(route: RoutedMessage): boolean {
    const delivery = route.origin as Delivery;
    if (delivery.state !== DeliveryState.routed || route.state !== RouteState.running) {
      return this.#refuse();
    }
    if (delivery.routes !== route) return this.settleRoute(route, "succeeded", undefined);
    route.state = RouteState.settled;
    this.#settle(delivery, DeliveryState.succeeded, undefined);
    return true;
  }

  /** Given back to the source unfinished; not acknowledged. */
  release(delivery: Delivery): boolean {
    return this.#end(delivery, DeliveryState.released);
  }

  /** Given up while it was running; not acknowledged. */
  abandon(delivery: Delivery): boolean {
    return this.#end(delivery, DeliveryState.abandoned);
  }

  /** Takes what is to be acknowledged; each message is in exactly one group, once. */
  take(account: Account): SettledGroup {
    this.unacknowledged -= account.unacknowledged;
    return account.take();
  }

  /** The source knows, or will never know, of these messages of one session: they no longer count against the budget. */
  forget(deliveries: readonly Delivery[]): void {
    const account = deliveries[0]?.arrival.account;
    if (account === undefined) return;
    let bytes = 0;
    for (const delivery of deliveries) {
      delivery.acknowledged = true;
      delivery.arrival.remove(delivery);
      bytes += delivery.size;
    }
    this.#free(account, deliveries.length, bytes);
  }

  /** The source is told before the end; until it has taken that, the message counts. */
  acknowledgeEarly(delivery: Delivery): void {
    delivery.acknowledged = true;
    delivery.note({ acknowledging: true });
  }

  /** The source has taken what it was told before the end. */
  acknowledgedEarly(delivery: Delivery): void {
    delivery.note({ acknowledging: false });
    if (isOutcome(delivery)) this.#forget(delivery);
  }

  /** The source refused to be told before the end; it is told at the end, or now if that has come meanwhile. */
  retract(delivery: Delivery): void {
    if (delivery.state > DeliveryState.failed) return;
    delivery.acknowledged = false;
    delivery.note({ acknowledging: false });
    if (isOutcome(delivery)) this.#collect(delivery);
  }

  #settleBranch(delivery: Delivery, fanOut: FanOut, end: number, reason: unknown): void {
    if (end >= fanOut.worst) {
      fanOut.worst = end;
      fanOut.reason = reason;
    }
    if (--fanOut.open > 0) return;
    this.#settle(delivery, fanOut.worst, fanOut.reason);
  }

  #settle(delivery: Delivery, state: number, reason: unknown): void {
    delivery.state = state;
    if (reason !== undefined) delivery.note({ reason });
    (this.#ended[state] as number)++;
    if (!delivery.acknowledged) this.#collect(delivery);
    else if (delivery.notes?.acknowledging !== true) this.#forget(delivery);
  }

  #collect(delivery: Delivery): void {
    this.unacknowledged++;
    delivery.arrival.account.add(delivery);
  }

  #end(delivery: Delivery, state: number): boolean {
    if (delivery.settled) return this.#refuse();
    delivery.state = state;
    (this.#ended[state] as number)++;
    this.#forget(delivery);
    return true;
  }

  #forget(delivery: Delivery): void {
    const { arrival } = delivery;
    delivery.acknowledged = true;
    arrival.remove(delivery);
    this.#free(arrival.account, 1, delivery.size);
  }

  #free(account: Account, messages: number, bytes: number): void {
    this.inFlight -= messages;
    this.bytes -= bytes;
    account.inFlight -= messages;
    account.bytes -= bytes;
  }

  #refuse(): false {
    this.violations++;
    return false;
  }
}

/** Settled, and neither released nor abandoned. */
function isOutcome({ state }: Delivery): boolean {
  return state >= DeliveryState.dropped && state <= DeliveryState.failed;
}

/** Only what ran has succeeded; only a failure that has been dealt with is one. */
function canEnd(state: number, outcome: Outcome): boolean {
  if (outcome === "succeeded") return state === RouteState.running;
  return outcome === "dropped" ? state < RouteState.failing : state === RouteState.failing;
}
