import type { AcknowledgeResult } from "../acknowledger.ts";
import type { Clock } from "../clock.ts";
import { AcknowledgeError, StoppedError } from "../errors.ts";
import type { ProducerSession } from "../producer.ts";
import type { Account, SettledGroup } from "./account.ts";
import { DelayQueue } from "./delay-queue.ts";
import type { Delivery } from "./delivery.ts";
import type { Ledger } from "./ledger.ts";
import { isThenable } from "./thenable.ts";

/** How often an acknowledgement is tried in all. */
const ATTEMPTS = 5;
/** Milliseconds before the second try; each later wait is twice as long. */
const FIRST_WAIT = 100;

export interface AcknowledgerStageOptions {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly account: Account;
  readonly session: ProducerSession<unknown>;
  /** The source knows of these; the call began at that moment. */
  acknowledged(group: SettledGroup, began: number): void;
  /** The source will not take these; it will send them again. */
  refused(error: AcknowledgeError): void;
  advance(): void;
}

interface Attempt {
  readonly group: SettledGroup;
  readonly number: number;
}

/** Tells one session what has ended; every group on its own, tried again when the source refuses it. */
export class AcknowledgerStage {
  readonly #options: AcknowledgerStageOptions;
  readonly #delayed: DelayQueue<Attempt>;
  /** Groups that are under way, or wait for another try. */
  readonly #groups = new Set<SettledGroup>();
  /** What the session is being told just now; most take it at once. */
  #sending: SettledGroup | undefined;
  /** What is being acknowledged before its end. */
  readonly #early = new Map<Delivery, Promise<void>>();
  #killed = false;

  constructor(options: AcknowledgerStageOptions) {
    this.#options = options;
    this.#delayed = new DelayQueue(options.clock, (attempt) => {
      this.#groups.delete(attempt.group);
      this.#send(this.#withoutFenced(attempt));
      options.advance();
    });
  }

  /** Acknowledges what has settled since the last time. */
  flush(): void {
    if (this.#options.account.unacknowledged === 0) return;
    const attempt = this.#take();
    if (this.#killed) this.#forget(attempt.group);
    else this.#send(attempt);
  }

  /** What has ended and of which the source does not know yet. */
  *unacknowledged(): Generator<Delivery> {
    const sending = this.#sending === undefined ? [] : [this.#sending];
    for (const { succeeded, failed } of [this.#options.account, ...sending, ...this.#groups]) {
      yield* succeeded;
      yield* failed;
    }
    for (const delivery of this.#early.keys()) if (delivery.settled) yield delivery;
  }

  /** Says nothing any more of what is fenced; of what waits for another try, when its time comes. */
  withdraw(): void {
    this.#send(this.#withoutFenced(this.#take()));
  }

  /** Acknowledges one message before its end. */
  acknowledgeNow(delivery: Delivery): Promise<void> {
    const underWay = this.#early.get(delivery);
    if (underWay !== undefined) return underWay;
    if (delivery.acknowledged || delivery.settled) return Promise.resolve();
    const early = this.#acknowledgeEarly(delivery).finally(() => this.#early.delete(delivery));
    this.#early.set(delivery, early);
    return early;
  }

  /** Gives up on what could not be acknowledged. */
  kill(): void {
    this.#killed = true;
    for (const { group } of this.#delayed.clear()) this.#forget(group);
    this.#groups.clear();
  }

  async #acknowledgeEarly(delivery: Delivery): Promise<void> {
    if (this.#killed) throw new StoppedError("ackNow: the session is closed.");
    const { ledger, session, advance } = this.#options;
    ledger.acknowledgeEarly(delivery);
    try {
      const result = await session.acknowledge({ succeeded: [delivery], failed: [] });
      const refused = refusedBy(result);
      if (!Array.isArray(refused) || refused.length > 0) throw result?.reason;
    } catch (cause) {
      ledger.retract(delivery);
      // Nobody would take it any more.
      if (this.#killed) this.flush();
      else if (isFenced(delivery)) this.withdraw();
      advance();
      throw new AcknowledgeError("ackNow: the source refused the acknowledgement.", {
        cause,
        count: 1,
      });
    }
    ledger.acknowledgedEarly(delivery);
    if (delivery.settled) advance();
  }

  #take(): Attempt {
    const { account, ledger } = this.#options;
    return { group: ledger.take(account), number: 1 };
  }

  #withoutFenced({ group, number }: Attempt): Attempt {
    this.#forget(pick(group, isFenced));
    return { group: pick(group, (delivery) => !isFenced(delivery)), number };
  }

  #send(attempt: Attempt): void {
    const { group } = attempt;
    if (sizeOf(group) === 0) return;
    const { session, clock } = this.#options;
    const began = clock.now();
    this.#sending = group;
    let result: ReturnType<typeof session.acknowledge>;
    try {
      result = session.acknowledge(group);
      if (isThenable(result)) {
        this.#groups.add(group);
        this.#await(attempt, result, began);
        return;
      }
    } catch (reason) {
      this.#failed(attempt, group, reason);
      return;
    } finally {
      this.#sending = undefined;
    }
    this.#done(attempt, result, began);
  }

  #await(attempt: Attempt, result: PromiseLike<AcknowledgeResult>, began: number): void {
    // A foreign thenable may call back twice: a promise of our own does not.
    Promise.resolve(result).then(
      (value) => {
        this.#done(attempt, value, began);
        this.#options.advance();
      },
      (reason) => {
        this.#failed(attempt, attempt.group, reason);
        this.#options.advance();
      },
    );
  }

  #done(attempt: Attempt, result: AcknowledgeResult, began: number): void {
    const { acknowledged } = this.#options;
    const { group } = attempt;
    this.#groups.delete(group);
    const refused = refusedBy(result);
    if (!Array.isArray(refused)) {
      // Nobody can tell what it took.
      this.#failed(attempt, group, new TypeError("acknowledge() gave refused that is no array."));
      return;
    }
    if (refused.length === 0) {
      this.#forget(group);
      acknowledged(group, began);
      return;
    }
    const rest = new Set<unknown>(refused);
    const taken = pick(group, (delivery) => !rest.has(delivery));
    this.#forget(taken);
    acknowledged(taken, began);
    this.#failed(
      attempt,
      pick(group, (delivery) => rest.has(delivery)),
      result?.reason,
      result?.final === true,
    );
  }

  #failed(attempt: Attempt, group: SettledGroup, cause: unknown, final = false): void {
    const { number } = attempt;
    this.#groups.delete(attempt.group);
    const count = sizeOf(group);
    if (count === 0) return;
    if (number < ATTEMPTS && !this.#killed && !final) {
      this.#groups.add(group);
      this.#delayed.add({ group, number: number + 1 }, FIRST_WAIT * 2 ** (number - 1));
      return;
    }
    this.#forget(group);
    const how = final ? "for good" : `${number} time(s)`;
    this.#options.refused(
      new AcknowledgeError(
        `The source "${this.#options.account.source}" refused to acknowledge ${count} message(s), ${how}. It will send them again.`,
        { cause, count },
      ),
    );
  }

  #forget({ succeeded, failed }: SettledGroup): void {
    this.#options.ledger.forget(succeeded);
    this.#options.ledger.forget(failed);
  }
}

function refusedBy(result: AcknowledgeResult): readonly unknown[] {
  return result?.refused ?? [];
}

function isFenced({ notes }: Delivery): boolean {
  return notes?.fenced === true;
}

function sizeOf({ succeeded, failed }: SettledGroup): number {
  return succeeded.length + failed.length;
}

function pick(group: SettledGroup, chosen: (delivery: Delivery) => boolean): SettledGroup {
  return { succeeded: group.succeeded.filter(chosen), failed: group.failed.filter(chosen) };
}
