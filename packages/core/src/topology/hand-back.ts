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
import type { Source, Sources } from "./sources.ts";

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
  readonly #revocations = new Set<() => void>();
  /** The deadline has passed. */
  #late = false;
  #ended = false;

  constructor(options: HandBackOptions) {
    this.#options = options;
  }

  /** Every message that is received and not settled. */
  *unsettled(): Generator<Delivery> {
    for (const { account } of this.#options.sources.unsettled()) yield* account.unsettled();
  }

  /** Resolves when the sources have what was given back. */
  async released(): Promise<void> {
    await Promise.all(this.#releases);
  }

  /** What comes while a drain is under way goes back, where the source can take it back; false if it is to be handled. */
  late(arrival: Arrival): boolean {
    const { ledger, sources } = this.#options;
    // A copy: what is released leaves a gap.
    const deliveries = [...arrival.unsettled()];
    for (const { account, source } of sources.unsettled()) {
      if (account !== arrival.account || !source.stage.releases(account)) continue;
      for (const delivery of deliveries) ledger.release(delivery);
      this.#giveBack(source, account, deliveries);
      return true;
    }
    if (this.#late) for (const delivery of deliveries) ledger.abandon(delivery);
    return this.#late;
  }

  /** Gives back what has not been started, where the source can take it back. */
  unstarted(): void {
    const { ledger, sources, advance } = this.#options;
    for (const { account, source } of sources.unsettled()) {
      if (!source.stage.releases(account)) continue;
      const released = [...account.unsettled()].filter(
        (delivery) => !delivery.acknowledged && isUnstarted(delivery),
      );
      for (const delivery of released) ledger.release(delivery);
      this.#giveBack(source, account, released);
    }
    this.#sweep();
    advance();
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
    for (const { account, source } of sources.unsettled()) {
      const left = [...account.unsettled()].filter(({ acknowledged }) => !acknowledged);
      for (const delivery of account.unsettled()) {
        if (isUnstarted(delivery) && source.stage.releases(account)) ledger.release(delivery);
        else ledger.abandon(delivery);
      }
      this.#giveBack(source, account, left);
    }
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
    for (const check of this.#revocations) check();
  }

  /** All has ended, one way or another: nobody need wait for it. */
  end(): void {
    this.#ended = true;
    this.check();
  }

  #giveBack({ stage }: Source, account: Account, deliveries: readonly Delivery[]): void {
    if (deliveries.length > 0) this.#releases.push(stage.release(account, deliveries));
  }

  /** What has been given back need not wait for its next attempt. */
  #sweep(): void {
    this.#options.processing.sweep();
    this.#options.batching.sweep();
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
    if (over()) return Promise.resolve();
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
  const isUnderWay = ({ state }: RoutedMessage): boolean =>
    state === RouteState.running || state === RouteState.failing;
  return branches.some(({ state }) => state === RouteState.waiting) && !branches.some(isUnderWay);
}

/** It has ended, and its source knows. */
function isOver({ settled, acknowledged, notes }: Delivery): boolean {
  return settled && acknowledged && notes?.acknowledging !== true;
}
