import type { Clock } from "../clock.ts";
import { ShutdownTimeoutError, StoppedError } from "../errors.ts";
import type { RoutedMessage } from "../message.ts";
import type { Account, Arrival } from "./account.ts";
import type { Batching } from "./batching.ts";
import type { Delivery } from "./delivery.ts";
import * as DeliveryState from "./delivery-state.ts";
import type { Ledger } from "./ledger.ts";
import type { Processing } from "./processing.ts";
import * as RouteState from "./route-state.ts";
import type { Settings } from "./settings.ts";
import type { Sources } from "./sources.ts";

export interface HandBackOptions {
  readonly clock: Clock;
  readonly settings: Settings;
  readonly ledger: Ledger;
  readonly sources: Sources;
  readonly processing: Processing;
  readonly batching: Batching;
  advance(): void;
}

/** Takes messages back from the stages: at the end of the pipeline, or because their source gives them to somebody else. */
export class HandBack {
  readonly #options: HandBackOptions;
  /** Messages on their way back to their sources. */
  readonly #releases: Promise<void>[] = [];
  /** What is to go back together, and soon. */
  #returned: Delivery[] | undefined;
  readonly #revocations = new Set<() => void>();
  #draining = false;
  /** The deadline has passed. */
  #late = false;
  #ended = false;

  constructor(options: HandBackOptions) {
    this.#options = options;
  }

  /** Every message that is received and not settled. */
  *unsettled(): Generator<Delivery> {
    for (const account of this.#options.sources.accounts) yield* account.unsettled();
  }

  /** Resolves when the sources have what was given back. */
  async released(): Promise<void> {
    this.#giveBackReturned();
    await Promise.all(this.#releases);
  }

  /** What comes while a drain is under way goes back, where the source can take it back; false if it is to be handled. */
  late(arrival: Arrival): boolean {
    const { account } = arrival;
    if (account.release === undefined && !this.#late) return false;
    this.#giveUp(account, arrival);
    return true;
  }

  /** Gives back what has not been started, and what would be tried again, where the source can take it back. */
  unstarted(): void {
    const { sources, advance } = this.#options;
    this.#draining = true;
    for (const account of sources.accounts) {
      // A copy: with a message goes what is ordered behind it.
      for (const delivery of [...account.unsettled()]) {
        const waits = isUnstarted(delivery) || delivery.branches.some(isWaiting);
        if (waits && this.returns(delivery)) this.release(delivery, false);
      }
    }
    this.#giveBackReturned();
    this.#sweep();
    advance();
  }

  /** Instead of another try it goes back to its source, for the pipeline drains; not what the source was told of early. */
  returns({ settled, acknowledged, revoked, arrival }: Delivery): boolean {
    const can = !settled && !acknowledged && !revoked && arrival.account.release !== undefined;
    return this.#draining && can;
  }

  /** Goes back with what is ordered behind it in a batcher: `all` of that, or what `returns`. */
  release(delivery: Delivery, all: boolean): void {
    const { ledger, batching } = this.#options;
    const { branches } = delivery;
    // What is in another handler goes back when its session is closed; a source that was told of it, or revokes it, has it.
    const back = !delivery.acknowledged && !delivery.revoked && !branches.some(isUnderWay);
    ledger.release(delivery);
    this.#returned ??= [];
    if (back) this.#returned.push(delivery);
    for (const { batcher } of branches) batching.get(batcher)?.halt(all);
  }

  /** Gives up what is left at the deadline: aborted first, then given back where that is possible; not acknowledged. */
  abandon(abort: (reason: ShutdownTimeoutError) => void): void {
    const { settings, ledger, sources, advance } = this.#options;
    const inFlight = ledger.unsettled + sources.held;
    this.#late = true;
    abort(
      new ShutdownTimeoutError(
        `The pipeline "${settings.name}" did not drain in time: ${inFlight} message(s) were in flight. Raise shutdown.timeout, or pass the signal on.`,
        { inFlight },
      ),
    );
    for (const account of sources.accounts) this.#giveUp(account, account);
    advance();
  }

  /**
   * Nothing of these starts any more, what is in a batch aside, which is flushed; resolves when what is under way
   * has ended and been acknowledged, or its time is up.
   */
  async revoke(
    account: Account,
    predicate: (delivery: Delivery) => boolean,
    timeout: number,
  ): Promise<void> {
    const { ledger, sources, processing, advance } = this.#options;
    const underWay: Delivery[] = [];
    for (const delivery of account.unsettled()) {
      if (!predicate(delivery)) continue;
      if (isUnstarted(delivery) || isStuck(delivery)) ledger.release(delivery);
      else underWay.push(delivery);
    }
    for (const delivery of sources.unacknowledged(account)) {
      if (predicate(delivery)) underWay.push(delivery);
    }
    for (const delivery of underWay) delivery.note({ revoked: true });
    this.#sweep();
    await this.#untilOver(underWay, timeout);
    for (const delivery of underWay) {
      delivery.note({ fenced: true });
      if (delivery.settled) continue;
      // One whose failure is being dealt with runs nowhere, but holds its key.
      processing.abandon(delivery, new StoppedError("The source took the message back."));
      ledger.abandon(delivery);
    }
    sources.withdraw(account);
    advance();
  }

  /** To be called whenever something may have ended. */
  check(): void {
    if (this.#returned !== undefined) {
      this.#giveBackReturned();
      this.#sweep();
    }
    for (const check of this.#revocations) check();
  }

  /** All has ended, one way or another: nobody need wait for it. */
  end(): void {
    this.#ended = true;
    this.check();
  }

  /** Ends what is unsettled here, and gives it back, but for what the source has been told of. */
  #giveUp(account: Account, from: Account | Arrival): void {
    const { ledger } = this.#options;
    const left = [...from.unsettled()].filter(({ acknowledged }) => !acknowledged);
    for (const delivery of from.unsettled()) {
      if (isUnstarted(delivery) && account.release !== undefined) ledger.release(delivery);
      else ledger.abandon(delivery);
    }
    this.#giveBack(account, left);
  }

  #giveBack(account: Account, deliveries: readonly Delivery[]): void {
    if (deliveries.length === 0 || account.release === undefined) return;
    this.#releases.push(account.release(deliveries));
  }

  #giveBackReturned(): void {
    const returned = this.#returned ?? [];
    this.#returned = undefined;
    for (const account of this.#options.sources.accounts) {
      const own = returned.filter(({ arrival }) => arrival.account === account);
      this.#giveBack(account, own);
    }
  }

  /** What has been given back need not wait for its next attempt. */
  #sweep(): void {
    const { processing, batching } = this.#options;
    processing.sweep();
    for (const batcher of batching.all) batcher.sweep();
  }

  #untilOver(underWay: readonly Delivery[], timeout: number): Promise<void> {
    const { clock, ledger, batching, advance } = this.#options;
    const isBatched = (delivery: Delivery): boolean =>
      delivery.branches.some(({ state }) => state === RouteState.batched);
    const over = (): boolean => {
      for (let stuck; (stuck = underWay.filter(isStuck)).length > 0; this.#sweep()) {
        for (const delivery of stuck) ledger.release(delivery);
      }
      // Open batches hold some of them: those need not wait for their timeout.
      if (underWay.some(isBatched)) batching.drain();
      return underWay.every(isOver);
    };
    return new Promise((resolve) => {
      const end = (): void => {
        this.#revocations.delete(check);
        clock.clearTimer(timer);
        resolve();
      };
      const check = (): void => {
        if (this.#ended || over()) end();
      };
      const timer = clock.setTimer(end, timeout);
      this.#revocations.add(check);
      check();
      advance();
    });
  }
}

/** Nothing of it runs: it can go back to its source as if it had not come. */
function isUnstarted({ state }: Delivery): boolean {
  return state === DeliveryState.received || state === DeliveryState.waiting;
}

/** A batch it was in has failed: without another try it never ends, and nothing else of it is in a handler. */
function isStuck({ branches }: Delivery): boolean {
  return branches.some(isWaiting) && !branches.some(isUnderWay);
}

function isWaiting({ state }: RoutedMessage): boolean {
  return state === RouteState.waiting;
}

function isUnderWay({ state }: RoutedMessage): boolean {
  return state === RouteState.running || state === RouteState.failing;
}

/** It has ended, and its source knows. */
function isOver({ settled, acknowledged, notes }: Delivery): boolean {
  return settled && acknowledged && notes?.acknowledging !== true;
}
