import type { Clock } from "../clock.ts";
import { describeValue } from "../options/words.ts";
import type { Awaitable, Demand, Incoming, ProducerSession } from "../producer.ts";
import type { Account, Arrival } from "./account.ts";
import { Alarm } from "./alarm.ts";
import type { Ledger } from "./ledger.ts";
import { isThenable } from "./thenable.ts";

type Messages = readonly Incoming<unknown, unknown>[];

const NOTHING: Messages = [];

export interface SessionOptions {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly session: ProducerSession<unknown>;
  readonly account: Account;
  /** What may come in now. */
  room(session: Session): Demand;
  /** A pull brought messages. */
  pulled(demand: Demand, messages: number, milliseconds: number): void;
  /** A pull brought nothing; there will never be more if it `ended`. */
  empty(session: Session, ended: boolean): void;
  received(arrival: Arrival): Awaitable<void>;
  /** It cannot be read any more. */
  failed(session: Session, error: unknown): void;
  /** Something else went wrong that keeps nobody from going on. */
  ignored(error: unknown): void;
  advance(): void;
}

/** One opened session: pulls, keeps what comes when there is no room for it, and keeps leases. */
export class Session {
  readonly #options: SessionOptions;
  readonly account: Account;
  /** Aborts a pull that waits. */
  readonly #controller = new AbortController();
  /** A pull that is under way, or what it brought being taken in. */
  #pulling: Promise<void> | undefined;
  /** What it brought is just being handed over: that may move everything on. */
  #taking = false;
  /** What came when there was no room for it: a pull that waits reserves none, or it would starve the others. */
  #held = NOTHING;
  readonly #lease: Alarm;
  #closed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.account = options.account;
    const { lease, extend } = options.session;
    this.#lease = new Alarm(options.clock, () => this.#keepLease());
    if (lease !== undefined && extend !== undefined) this.#lease.set(lease / 3);
  }

  get session(): ProducerSession<unknown> {
    return this.#options.session;
  }

  /** A pull is under way, or what it brought is being taken in. */
  get busy(): boolean {
    return this.#pulling !== undefined || this.#taking;
  }

  /** Messages that wait for room. */
  get held(): number {
    return this.#held.length;
  }

  /** Nothing of it is out, and nothing can come. */
  get over(): boolean {
    return this.account.inFlight === 0 && this.#pulling === undefined && this.held === 0;
  }

  /** Pulls once; true if messages came at once. */
  pull(demand: Demand): boolean {
    const { clock, session } = this.#options;
    const began = clock.now();
    try {
      const result = session.pull(demand, this.#controller.signal);
      if (!isThenable(result)) return this.#pulled(result, demand, began);
      this.#pulling = this.#await(result, demand, began);
    } catch (error) {
      this.#options.failed(this, error);
    }
    return false;
  }

  /** Hands on what waits, as far as there is room; true if there was. */
  handOn(now?: number): boolean {
    if (this.#held.length === 0 || this.busy || this.#closed) return false;
    const { clock, ledger, room } = this.#options;
    const { account } = this;
    const { messages, bytes } = room(this);
    const held = this.#held;
    const most = Math.max(0, Math.min(held.length, messages));
    const arrival = ledger.arrive(account, now ?? clock.now(), clock.date(), most);
    let garbage: { readonly reason: unknown } | undefined;
    const seen = arrival.take(held, bytes, sizeOf, (reason) => {
      garbage = { reason };
    });
    ledger.receive(arrival);
    this.#held = seen === held.length ? NOTHING : held.slice(seen);
    if (arrival.received > 0) this.#hand(arrival);
    if (garbage !== undefined) this.#options.failed(this, garbage.reason);
    return arrival.received > 0;
  }

  /** Ends a pull that waits, and resolves when what it still brought has been taken in. */
  async quiet(reason: Error): Promise<void> {
    this.#controller.abort(reason);
    while (this.#pulling !== undefined) await this.#pulling;
  }

  /** Forgets what waits for room and is not to come any more. */
  forget(predicate: (incoming: Incoming<unknown, unknown>) => boolean): void {
    this.#held = this.#held.filter((incoming) => !predicate(incoming));
  }

  /** Hands messages back unhandled. */
  release(messages: Messages): Promise<void> {
    return this.#attempt(() => this.session.release?.(messages));
  }

  drain(): Promise<void> {
    return this.#attempt(() => this.session.drain?.());
  }

  /** Closes it; what still waits for room goes back. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#lease.clear();
    const held = this.#held;
    this.#held = NOTHING;
    const released = held.length > 0 ? this.release(held) : undefined;
    await this.#attempt(() => this.session.close?.());
    await released;
  }

  async #await(result: PromiseLike<Messages | null>, demand: Demand, began: number): Promise<void> {
    try {
      const messages = await result;
      this.#pulling = undefined;
      if (this.#closed) {
        // Too late for the pipeline: it goes back.
        if (Array.isArray(messages)) await this.release(messages);
        return;
      }
      this.#pulled(messages, demand, began);
    } catch (error) {
      this.#pulling = undefined;
      this.#options.failed(this, error);
    }
    this.#options.advance();
  }

  #pulled(result: Messages | null, demand: Demand, began: number): boolean {
    if (result !== null && !Array.isArray(result)) {
      throw new TypeError(
        `pull() gave ${describeValue(result, true)} instead of an array or null.`,
      );
    }
    const messages = result?.length ?? 0;
    if (result === null || messages === 0) {
      this.#options.empty(this, result === null);
      return false;
    }
    const now = this.#options.clock.now();
    this.#options.pulled(demand, messages, now - began);
    this.#held = result;
    return this.handOn(now);
  }

  #hand(arrival: Arrival): void {
    this.#taking = true;
    try {
      const taken = this.#options.received(arrival);
      if (isThenable(taken)) this.#pulling = this.#whenTaken(taken);
    } finally {
      this.#taking = false;
    }
  }

  async #whenTaken(taken: PromiseLike<void>): Promise<void> {
    await taken;
    this.#pulling = undefined;
    this.#options.advance();
  }

  /** Extends the lease of all that is unsettled, at a third of its length. */
  #keepLease(): void {
    const lease = this.session.lease as number;
    const messages = [...this.account.unsettled()]
      .filter(({ acknowledged }) => !acknowledged)
      .map(({ incoming }) => incoming)
      .concat(this.#held);
    if (messages.length > 0) void this.#attempt(() => this.session.extend?.(messages, lease));
    this.#lease.set(lease / 3);
  }

  /** What goes wrong here must not keep the rest from going on, but is to be seen. */
  async #attempt(call: () => Awaitable<void> | undefined): Promise<void> {
    try {
      await call();
    } catch (error) {
      this.#options.ignored(error);
    }
  }
}

function sizeOf(incoming: Incoming<unknown, unknown>): number {
  if (typeof incoming !== "object" || incoming === null) {
    throw new TypeError(`pull() gave ${describeValue(incoming, true)} among its messages.`);
  }
  const { size, payload } = incoming;
  if (size !== undefined) return size >= 0 && size < Infinity ? size : 0;
  if (typeof payload === "string") return payload.length;
  return payload instanceof Uint8Array ? payload.byteLength : 0;
}
