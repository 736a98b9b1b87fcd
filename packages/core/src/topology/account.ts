import type { Incoming } from "../producer.ts";
import { Delivery } from "./delivery.ts";
import * as DeliveryState from "./delivery-state.ts";

/** What one pull brought; shared by its deliveries so that they need not hold it each. */
export class Arrival {
  readonly account: Account;
  /** Monotonic. */
  readonly at: number;
  /** Since the Unix epoch. */
  readonly date: number;
  // Not one list for all arrivals: old objects that refer to new ones cost the garbage collector a note each time.
  /** In order. What the source knows of leaves a gap, so that it can be collected before the others. */
  readonly deliveries: (Delivery | undefined)[];
  received: number = 0;
  bytes: number = 0;
  /** Whether its source gave any of it a key. */
  keyed: boolean = false;
  #known = 0;

  /** At most so many messages can come. */
  constructor(account: Account, at: number, date: number, messages: number) {
    this.account = account;
    this.at = at;
    this.date = date;
    // As long as it can become, at once: growing by and by costs three times the memory.
    this.deliveries = new Array<Delivery | undefined>(messages);
  }

  /** Takes what there is room for, in order, a message at least that is alone; gives back how many it has looked at. */
  take(
    incoming: readonly Incoming<unknown, unknown>[],
    bytes: number,
    sizeOf: (incoming: Incoming<unknown, unknown>) => number,
    refuse: (reason: unknown) => void,
  ): number {
    const { deliveries } = this;
    const most = deliveries.length;
    const alone = this.account.inFlight === 0;
    // In variables: what is added to a field for each message waits for the one before.
    let [index, count, sum] = [0, 0, 0];
    for (; index < incoming.length; index++) {
      // Whatever a look at it throws, getters and proxies for one.
      try {
        const one = incoming[index] as Incoming<unknown, unknown>;
        const size = sizeOf(one);
        if (count === most || (sum + size > bytes && !(alone && count === 0))) break;
        const delivery = new Delivery(this, count, one, size);
        if (delivery.key !== undefined) this.keyed = true;
        deliveries[count] = delivery;
        sum += size;
        count++;
      } catch (reason) {
        refuse(reason);
      }
    }
    if (count < most) deliveries.length = count;
    this.received = count;
    this.bytes = sum;
    return index;
  }

  /** The source knows of it, or will never know. */
  remove({ index }: Delivery): void {
    this.deliveries[index] = undefined;
    this.#known++;
  }

  /** The source knows of all of it. */
  get over(): boolean {
    return this.#known === this.received;
  }

  *unsettled(): Generator<Delivery> {
    for (const delivery of this.deliveries) {
      if (delivery !== undefined && !delivery.settled) yield delivery;
    }
  }
}

/** What there is room for in a list before it has to grow. */
const SHORTEST = 16;

/** Settled messages of one session, ready to be acknowledged. */
export interface SettledGroup {
  readonly succeeded: Delivery[];
  readonly failed: Delivery[];
}

type Release = (deliveries: readonly Delivery[]) => Promise<void>;

/** What the ledger keeps for one session: what is out of the source, and what is to be acknowledged. */
export class Account {
  readonly source: string;
  readonly acknowledgeNow: (delivery: Delivery) => Promise<void>;
  /** Hands messages back unhandled, where the session can take them back. */
  readonly release: Release | undefined;
  /** Received and not yet acknowledged, released or abandoned. */
  inFlight: number = 0;
  bytes: number = 0;
  /** Oldest first; those that are over are left out now and then: a set, added to and deleted from, is made anew every few times. */
  #arrivals: Arrival[] = [];
  #most = SHORTEST;
  /** As long as the group before it at once, as growing by and by costs; what has been added ends at `#added`. */
  #succeeded: Delivery[] = new Array<Delivery>(SHORTEST);
  #added = 0;
  #failed: Delivery[] = [];

  constructor(
    source: string,
    acknowledgeNow: (delivery: Delivery) => Promise<void>,
    release?: Release,
  ) {
    this.source = source;
    this.acknowledgeNow = acknowledgeNow;
    this.release = release;
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
    if (delivery.state === DeliveryState.failed) {
      this.#failed.push(delivery);
      return;
    }
    // A store beyond the end of an array is several times slower.
    if (this.#added === this.#succeeded.length) this.#succeeded.length *= 2;
    this.#succeeded[this.#added++] = delivery;
  }

  take(): SettledGroup {
    const succeeded = this.#succeeded;
    const failed = this.#failed;
    if (succeeded.length > this.#added) succeeded.length = this.#added;
    this.#added = 0;
    this.#succeeded = new Array<Delivery>(Math.max(SHORTEST, succeeded.length));
    this.#failed = [];
    return { succeeded, failed };
  }

  /** How many it keeps; for tests. */
  get arrivals(): number {
    return this.#arrivals.length;
  }

  admit(arrival: Arrival): void {
    if (this.#arrivals.length === this.#most) {
      this.#arrivals = this.#arrivals.filter(({ over }) => !over);
      this.#most = 2 * this.#arrivals.length + SHORTEST;
    }
    this.#arrivals.push(arrival);
  }

  /** Oldest first. */
  *unsettled(): Generator<Delivery> {
    for (const arrival of this.#arrivals) yield* arrival.unsettled();
  }
}
