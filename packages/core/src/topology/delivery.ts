import type { Outcome, SettledMessage } from "../acknowledger.ts";
import type { Message, Origin, PartitionKey, RoutedMessage } from "../message.ts";
import type { Incoming } from "../producer.ts";
import type { Arrival } from "./account.ts";
import * as DeliveryState from "./delivery-state.ts";

/** A delivery that was sent several ways at once. */
export interface FanOut {
  readonly branches: RoutedMessage[];
  /** Where each of them is; made when the first is replaced. */
  places?: Map<RoutedMessage, number>;
  /** Branches that have not settled. */
  open: number;
  /** The worst that became of a branch so far: the state the delivery will end in. */
  worst: number;
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
  next: Delivery | undefined | null = null;
  /** Its place in what came with it. */
  readonly index: number;

  constructor(arrival: Arrival, index: number, incoming: Incoming<unknown, unknown>, size: number) {
    this.arrival = arrival;
    this.index = index;
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
    return this.state >= DeliveryState.dropped;
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

export function isSeveral(routes: RoutedMessage | RoutedMessage[]): routes is RoutedMessage[] {
  return Array.isArray(routes);
}
