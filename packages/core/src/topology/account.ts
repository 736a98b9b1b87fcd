import { type Delivery, DeliveryState } from "./delivery.ts";

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
