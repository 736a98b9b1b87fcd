import type { Outcome, SettledMessage } from "../acknowledger.ts";
import type { Message, Origin, PartitionKey, RoutedMessage } from "../message.ts";
import type { Incoming } from "../producer.ts";
import type { StopReport } from "../report.ts";

/** Where a delivery stands. From `succeeded` on it is settled for good. */
export const DeliveryState = {
  received: 0,
  running: 1,
  waiting: 2,
  routed: 3,
  failing: 4,
  succeeded: 5,
  failed: 6,
  deadLettered: 7,
  dropped: 8,
  released: 9,
  abandoned: 10,
} as const;

/** Where one branch of a routed delivery stands. From `settled` on it is over. */
export const RouteState = {
  routed: 0,
  batched: 1,
  running: 2,
  waiting: 3,
  failing: 4,
  settled: 5,
} as const;

/** What becomes of a delivery is the worst that becomes of its branches. */
const RANK: Readonly<Record<Outcome, number>> = {
  dropped: 0,
  succeeded: 1,
  deadLettered: 2,
  failed: 3,
};

/** What one pull brought; shared by its deliveries so that they need not hold it each. */
export class Arrival {
  readonly account: Account;
  /** Monotonic. */
  readonly at: number;
  /** Since the Unix epoch. */
  readonly date: number;
  // Not one list for all arrivals: old objects that refer to new ones cost the garbage collector a note each time.
  /** What has not settled; what has leaves a gap, so that it can be collected before the others. */
  readonly #open: (Delivery | undefined)[] = [];
  #received = 0;
  #unsettled = 0;

  constructor(account: Account, at: number, date: number, messages: number) {
    this.account = account;
    this.at = at;
    this.date = date;
    // At once: growing by and by costs three times the memory.
    this.#open.length = messages;
  }

  add(delivery: Delivery): number {
    if (this.#unsettled++ === 0) this.account.arrivals.add(this);
    this.#open[this.#received] = delivery;
    return this.#received++;
  }

  remove(index: number): void {
    this.#open[index] = undefined;
    if (--this.#unsettled === 0) this.account.arrivals.delete(this);
  }

  *unsettled(): Generator<Delivery> {
    for (const delivery of this.#open) if (delivery !== undefined) yield delivery;
  }
}

/** A delivery that was sent several ways at once. */
export interface FanOut {
  readonly branches: readonly RoutedMessage[];
  /** Branches that have not settled. */
  open: number;
  /** The worst that became of a branch so far. */
  worst: Outcome;
  reason: unknown;
}

/** A message could not be decoded or keyed, or came too often. */
export interface Defect {
  readonly error: unknown;
  /** How often it has been tried; `Infinity` if it is not to be tried again. */
  readonly tries: number;
}

/** What is known of a delivery that does not take the usual way. */
export interface Notes {
  /** Why it failed or was dropped. */
  readonly reason?: unknown;
  /** What was last given to `configureAck`. */
  readonly ackOptions?: unknown;
  /** It must be prepared alone before it is handled: preparing it with others failed. */
  readonly unprepared?: boolean;
  /** Why it cannot be handled; it fails with that when its turn comes. */
  readonly defect?: Defect | undefined;
  /** The source is being told before the end. */
  readonly acknowledging?: boolean;
  /** The source takes it back: what is under way may end, but nothing of it starts any more. */
  readonly revoked?: boolean;
  /** The time for that is over: the source is not told of it any more. */
  readonly fenced?: boolean;
}

/** One message of a source, from receipt to settlement. */
export class Delivery implements Origin, SettledMessage {
  readonly arrival: Arrival;
  readonly incoming: Incoming<unknown, unknown>;
  readonly size: number;
  key: PartitionKey | undefined;
  state: number = DeliveryState.received;
  /** The current attempt; what an older one says no longer counts. */
  message: Message<unknown> | undefined = undefined;
  /** Where the handler sent it. */
  routes: RoutedMessage | FanOut | undefined = undefined;
  /** The source has been told before the end, or is not to be told at all. */
  acknowledged: boolean = false;
  /** What is known of few deliveries only. */
  notes: Notes | undefined = undefined;
  /** The next delivery of the same key; the scheduler's. */
  next: Delivery | undefined = undefined;
  /** Its place in what came with it. */
  readonly index: number;

  constructor(arrival: Arrival, incoming: Incoming<unknown, unknown>, size: number) {
    this.arrival = arrival;
    this.index = arrival.add(this);
    this.incoming = incoming;
    this.size = size;
    this.key = incoming.key;
  }

  get source(): string {
    return this.arrival.account.source;
  }

  get reason(): unknown {
    return this.notes?.reason;
  }

  get ackOptions(): unknown {
    return this.notes?.ackOptions;
  }

  get unprepared(): boolean {
    return this.notes?.unprepared ?? false;
  }

  get defect(): Defect | undefined {
    return this.notes?.defect;
  }

  get revoked(): boolean {
    return this.notes?.revoked ?? false;
  }

  note(notes: Notes): void {
    this.notes = { ...this.notes, ...notes };
  }

  get receivedAt(): number {
    return this.arrival.date;
  }

  get settled(): boolean {
    return this.state >= DeliveryState.succeeded;
  }

  get outcome(): Outcome {
    if (this.state === DeliveryState.failed) return "failed";
    if (this.state === DeliveryState.deadLettered) return "deadLettered";
    return this.state === DeliveryState.dropped ? "dropped" : "succeeded";
  }

  /** Its branches in batchers. */
  get branches(): readonly RoutedMessage[] {
    if (this.state !== DeliveryState.routed || this.routes === undefined) return [];
    return "branches" in this.routes ? this.routes.branches : [this.routes];
  }

  acknowledgeNow(): Promise<void> {
    return this.arrival.account.acknowledgeNow(this);
  }

  configureAck(options: unknown): void {
    this.note({ ackOptions: options });
  }
}

/** Settled messages of one session, ready to be acknowledged. */
export interface SettledGroup {
  readonly succeeded: Delivery[];
  readonly failed: Delivery[];
}

/** What the ledger keeps for one session: what is out of the source, and what is to be acknowledged. */
export class Account {
  readonly source: string;
  readonly acknowledgeNow: (delivery: Delivery) => Promise<void>;
  /** Received and not yet acknowledged, released or abandoned. */
  inFlight: number = 0;
  bytes: number = 0;
  /** Where something is not yet settled, oldest first. */
  readonly arrivals: Set<Arrival> = new Set();
  /** As long as the group before it at once, as growing by and by costs; what has been added ends at `#added`. */
  #succeeded: Delivery[] = [];
  #added = 0;
  #failed: Delivery[] = [];

  constructor(source: string, acknowledgeNow: (delivery: Delivery) => Promise<void>) {
    this.source = source;
    this.acknowledgeNow = acknowledgeNow;
  }

  /** Settled messages whose acknowledgement has not begun. */
  get unacknowledged(): number {
    return this.#added + this.#failed.length;
  }

  get succeeded(): readonly Delivery[] {
    return this.#succeeded.slice(0, this.#added);
  }

  get failed(): readonly Delivery[] {
    return this.#failed;
  }

  add(delivery: Delivery): void {
    if (delivery.state === DeliveryState.failed) this.#failed.push(delivery);
    else this.#succeeded[this.#added++] = delivery;
  }

  take(): SettledGroup {
    const succeeded = this.#succeeded;
    const failed = this.#failed;
    succeeded.length = this.#added;
    this.#added = 0;
    this.#succeeded = [];
    this.#succeeded.length = succeeded.length;
    this.#failed = [];
    return { succeeded, failed };
  }

  *unsettled(): Generator<Delivery> {
    for (const arrival of this.arrivals) yield* arrival.unsettled();
  }
}

/** Knows every message and where it stands; the only place that says "acknowledge", and it says it once. A pure state machine. */
export class Ledger {
  inFlight: number = 0;
  bytes: number = 0;
  /** Steps that were refused because the message was not where the step starts. Anything but 0 is a defect of the runtime. */
  violations: number = 0;
  /** How many deliveries have ended in each state. */
  readonly #ended: number[] = Object.values(DeliveryState).map(() => 0);

  /** Received and neither settled nor given up. */
  unsettled: number = 0;
  /** Settled, and not yet taken to be acknowledged. */
  unacknowledged: number = 0;

  report(): StopReport {
    const ended = (state: number): number => this.#ended[state] as number;
    return {
      received: this.#ended.reduce((sum, count) => sum + count, this.unsettled),
      succeeded: ended(DeliveryState.succeeded),
      failed: ended(DeliveryState.failed),
      deadLettered: ended(DeliveryState.deadLettered),
      dropped: ended(DeliveryState.dropped),
      released: ended(DeliveryState.released),
      abandoned: ended(DeliveryState.abandoned),
    };
  }

  /** Something came; at most so many messages. */
  arrive(account: Account, at: number, date: number, messages: number): Arrival {
    return new Arrival(account, at, date, messages);
  }

  receive(arrival: Arrival, incoming: Incoming<unknown, unknown>, size: number): Delivery {
    const delivery = new Delivery(arrival, incoming, size);
    const { account } = arrival;
    this.inFlight++;
    this.bytes += size;
    this.unsettled++;
    account.inFlight++;
    account.bytes += size;
    return delivery;
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

  /** The handler sent it to batchers: it ends when every branch has. */
  route(delivery: Delivery, routes: RoutedMessage | readonly RoutedMessage[]): boolean {
    if (delivery.state !== DeliveryState.running) return this.#refuse();
    delivery.state = DeliveryState.routed;
    delivery.routes = isSeveral(routes)
      ? { branches: routes, open: routes.length, worst: "dropped", reason: undefined }
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
    this.#settle(delivery, DeliveryState[outcome], reason);
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
      delivery.routes = {
        ...routes,
        branches: routes.branches.map((one) => (one === route ? copy : one)),
      };
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
    if (routes === route) this.#settle(delivery, DeliveryState[outcome], reason);
    else this.#settleBranch(delivery, routes as FanOut, outcome, reason);
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
    if (delivery.state > DeliveryState.dropped) return;
    delivery.acknowledged = false;
    delivery.note({ acknowledging: false });
    if (isOutcome(delivery)) this.#collect(delivery);
  }

  #settleBranch(delivery: Delivery, fanOut: FanOut, outcome: Outcome, reason: unknown): void {
    if (RANK[outcome] >= RANK[fanOut.worst]) {
      fanOut.worst = outcome;
      fanOut.reason = reason;
    }
    if (--fanOut.open > 0) return;
    this.#settle(delivery, DeliveryState[fanOut.worst], fanOut.reason);
  }

  #settle(delivery: Delivery, state: number, reason: unknown): void {
    delivery.state = state;
    if (reason !== undefined) delivery.note({ reason });
    (this.#ended[state] as number)++;
    this.#unlink(delivery);
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
    this.#unlink(delivery);
    this.#forget(delivery);
    return true;
  }

  #unlink(delivery: Delivery): void {
    delivery.arrival.remove(delivery.index);
    this.unsettled--;
  }

  #forget(delivery: Delivery): void {
    delivery.acknowledged = true;
    this.#free(delivery.arrival.account, 1, delivery.size);
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
  return state >= DeliveryState.succeeded && state <= DeliveryState.dropped;
}

/** Only what ran has succeeded; only a failure that has been dealt with is one. */
function canEnd(state: number, outcome: Outcome): boolean {
  if (outcome === "succeeded") return state === RouteState.running;
  return outcome === "dropped" ? state < RouteState.failing : state === RouteState.failing;
}

function isSeveral(
  routes: RoutedMessage | readonly RoutedMessage[],
): routes is readonly RoutedMessage[] {
  return Array.isArray(routes);
}
