import type { Clock, Timer } from "../clock.ts";
import { ProducerError } from "../errors.ts";
import type {
  Awaitable,
  Demand,
  Incoming,
  Producer,
  ProducerContext,
  ProducerSession,
} from "../producer.ts";
import type { Account, Arrival, Delivery, Ledger } from "./ledger.ts";
import type { Publish } from "../telemetry.ts";
import { describeValue } from "../options/words.ts";
import { isThenable } from "./thenable.ts";

/** Milliseconds to wait after an empty pull, unless the session says otherwise. */
const IDLE = 100;

export interface ProducerStageOptions {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly producer: Producer<unknown>;
  readonly source: string;
  readonly publish: Publish<"pipeline" | "source" | "index">;
  context(stage: ProducerStage): ProducerContext;
  /** Reserves room for a pull; undefined if there is none. */
  demand(stage: ProducerStage): Demand | undefined;
  /** Of what was reserved so much came; the rest is free again. */
  came(reserved: number, messages: number): void;
  opened(session: ProducerSession<unknown>): Account;
  received(deliveries: readonly Delivery[]): Awaitable<void>;
  crashed(error: ProducerError): void;
  closed(account: Account): void;
  advance(): void;
}

interface Opened {
  readonly session: ProducerSession<unknown>;
  readonly account: Account;
  /** Aborts a pull that waits. */
  readonly controller: AbortController;
  /** What its pull was asked for, until it has come. */
  demand: Demand | undefined;
  /** A pull that is under way, or what it brought being taken in. */
  pulling: Promise<void> | undefined;
  /** What it brought is just being handed over: that may move everything on. */
  taking: boolean;
  /** What came beyond what there is room for. */
  overflow: Incoming<unknown, unknown>[];
  lease: Timer | undefined;
  closed: boolean;
}

/** Keeps one session of a producer open and asks it for as much as there is room for, never more. */
export class ProducerStage {
  readonly #options: ProducerStageOptions;
  #opened: Opened | undefined;
  /** Sessions that no longer pull, but are still told what became of their messages. */
  readonly #retired = new Set<Opened>();
  #idling = false;
  #idle: Timer | undefined;
  #woken = false;
  #draining = false;
  #generation = 0;
  ended: boolean = false;
  received: number = 0;

  constructor(options: ProducerStageOptions) {
    this.#options = options;
  }

  /** Messages asked for that have not come yet. */
  get requested(): number {
    return this.#opened?.demand?.messages ?? 0;
  }

  /** Messages out of this source and not settled. */
  get inFlight(): number {
    return this.#sum("inFlight");
  }

  get bytes(): number {
    return this.#sum("bytes");
  }

  get unacknowledged(): number {
    return this.#sum("unacknowledged");
  }

  /** The books of its sessions, of those that no longer pull, too. */
  get accounts(): readonly Account[] {
    const retired = [...this.#retired].map(({ account }) => account);
    return this.#opened === undefined ? retired : [...retired, this.#opened.account];
  }

  /** Whether the session of these messages can take them back. */
  releases(account: Account): boolean {
    return this.#find(account)?.session.release !== undefined;
  }

  get session(): ProducerSession<unknown> | undefined {
    return this.#opened?.session;
  }

  /** Opens a session; a failure to do so is a crash like any other. */
  async start(): Promise<void> {
    if (this.#draining) return;
    const generation = ++this.#generation;
    const { producer, crashed, advance } = this.#options;
    try {
      const session = await producer.open(this.#options.context(this));
      if (typeof session?.pull !== "function" || typeof session.acknowledge !== "function") {
        throw new TypeError("open() gave something without pull and acknowledge.");
      }
      if (generation !== this.#generation || this.#draining) {
        await session.close?.();
        return;
      }
      const account = this.#options.opened(session);
      this.#opened = {
        session,
        account,
        controller: new AbortController(),
        demand: undefined,
        pulling: undefined,
        taking: false,
        overflow: [],
        lease: undefined,
        closed: false,
      };
      this.#keepLease(this.#opened);
      advance();
    } catch (cause) {
      if (generation !== this.#generation || this.#draining) return;
      crashed(this.#error("could not be opened", cause));
    }
  }

  /** It would pull now if there were room. */
  get willing(): boolean {
    if (this.#opened === undefined) return false;
    const { pulling, taking } = this.#opened;
    if (pulling !== undefined || taking) return false;
    return !this.ended && !this.#draining && !this.#idling;
  }

  /** Bytes there must be room for before it can hand over anything. */
  get needs(): number {
    const next = this.#opened?.overflow[0];
    // Garbage needs no room: it is refused when its turn comes.
    if (typeof next !== "object" || next === null) return 0;
    return this.#opened?.account.inFlight === 0 ? 0 : sizeOf(next);
  }

  /** Pulls once if there is room; true if messages came at once. */
  pull(): boolean {
    const opened = this.#opened;
    if (opened === undefined || !this.willing) return false;
    const demand = this.#options.demand(this);
    if (demand === undefined) return false;
    opened.demand = demand;
    this.#woken = false;
    if (opened.overflow.length > 0) {
      return this.#take(opened, opened.overflow.splice(0, demand.messages), demand);
    }
    const began = this.#options.clock.now();
    try {
      const result = opened.session.pull(demand, opened.controller.signal);
      if (!isThenable(result)) return this.#pulled(opened, demand, result, began);
      opened.pulling = this.#await(opened, demand, result, began);
    } catch (error) {
      this.#failed(opened, error);
    }
    return false;
  }

  /** A pull is worth while again. */
  wake(): void {
    this.#woken = true;
    if (!this.#idling) return;
    this.#stopIdling();
    this.#options.advance();
  }

  /** Gives the session up for reading; it is still told what became of its messages. */
  retire(): void {
    this.#generation++;
    this.#stopIdling();
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened === undefined) return;
    this.#settleDemand(opened, 0);
    opened.controller.abort(new Error("The session is given up."));
    this.#retired.add(opened);
    this.#takeOverflow(opened);
  }

  /** Closes retired sessions whose last message has been acknowledged. */
  closeRetired(): void {
    for (const opened of this.#retired) {
      const { account, pulling } = opened;
      if (account.inFlight === 0 && pulling === undefined) void this.#close(opened);
    }
  }

  /** Stops receiving. Resolves when no more messages can come. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#stopIdling();
    const opened = this.#opened;
    opened?.controller.abort(new Error("The pipeline is draining."));
    await this.#quiet();
    if (opened !== undefined) {
      this.#takeOverflow(opened);
      await this.#quiet();
    }
    await this.#attempt(() => opened?.session.drain?.());
  }

  /** Forgets what there was no room for, and what is not to come any more. */
  forgetOverflow(predicate: (incoming: Incoming<unknown, unknown>) => boolean): void {
    const opened = this.#opened;
    if (opened === undefined) return;
    opened.overflow = opened.overflow.filter((incoming) => !predicate(incoming));
  }

  /** Waits until no pull is under way and what came has been taken in. */
  async #quiet(): Promise<void> {
    const sessions = this.#opened === undefined ? this.#retired : [this.#opened, ...this.#retired];
    for (const session of [...sessions]) {
      for (let { pulling } = session; pulling !== undefined; { pulling } = session) await pulling;
    }
  }

  /** Hands messages back unhandled. */
  async release(account: Account, messages: readonly Delivery[]): Promise<void> {
    const opened = this.#find(account);
    if (opened === undefined) return;
    await this.#giveBack(
      opened,
      messages.map((delivery) => delivery.incoming),
    );
  }

  /** Closes everything it has open. */
  async close(): Promise<void> {
    this.#draining = true;
    const opened = this.#opened;
    const overflow = opened?.overflow.splice(0) ?? [];
    this.retire();
    // Too late to be taken in.
    const givenBack =
      opened !== undefined && overflow.length > 0 ? this.#giveBack(opened, overflow) : undefined;
    await Promise.all([givenBack, ...[...this.#retired].map((one) => this.#close(one))]);
  }

  async #await(
    opened: Opened,
    demand: Demand,
    result: PromiseLike<readonly Incoming<unknown, unknown>[] | null>,
    began: number,
  ): Promise<void> {
    try {
      const messages = await result;
      opened.pulling = undefined;
      if (opened.closed) {
        // Too late for the pipeline: it goes back.
        if (Array.isArray(messages)) await this.#giveBack(opened, messages);
        return;
      }
      this.#pulled(opened, demand, messages, began);
    } catch (error) {
      opened.pulling = undefined;
      this.#failed(opened, error);
    }
    this.#options.advance();
  }

  #pulled(
    opened: Opened,
    demand: Demand,
    result: readonly Incoming<unknown, unknown>[] | null,
    began: number,
  ): boolean {
    const { clock, publish, source } = this.#options;
    if (result !== null && !Array.isArray(result)) {
      throw new TypeError(`pull() gave ${describe(result)} instead of an array or null.`);
    }
    if (result === null || result.length === 0) {
      this.#settleDemand(opened, 0);
      if (opened !== this.#opened) return false;
      if (result !== null) this.#wait(opened);
      else {
        this.ended = true;
        publish("westend:producer:ended", {});
      }
      return false;
    }
    const { length } = result;
    publish("westend:producer:pulled", { messages: length, duration: clock.now() - began });
    if (length <= demand.messages) return this.#take(opened, result, demand);
    opened.overflow = result.slice(demand.messages);
    const error = new ProducerError(
      `The producer "${source}" gave ${length} messages when asked for at most ${demand.messages}. The rest is kept until there is room; pull() must honour its demand.`,
    );
    publish("westend:producer:error", { error });
    return this.#take(opened, result.slice(0, demand.messages), demand);
  }

  #take(opened: Opened, messages: readonly Incoming<unknown, unknown>[], demand: Demand): boolean {
    const { clock, ledger } = this.#options;
    const arrival: Arrival = { account: opened.account, at: clock.now(), date: clock.date() };
    // As long as it can become, at once: growing by and by would cost three times the memory.
    const deliveries: Delivery[] = [];
    deliveries.length = messages.length;
    let count = 0;
    let garbage: TypeError | undefined;
    let room = demand.bytes;
    for (let index = 0; index < messages.length; index++) {
      const incoming = messages[index] as Incoming<unknown, unknown>;
      if (typeof incoming !== "object" || incoming === null) {
        garbage = new TypeError(`pull() gave ${describe(incoming)} among its messages.`);
        continue;
      }
      const size = sizeOf(incoming);
      if (size > room && opened.account.inFlight > 0) {
        // Kept, and no more is asked for, until there is room for it.
        opened.overflow = [...messages.slice(index), ...opened.overflow];
        break;
      }
      room -= size;
      deliveries[count++] = ledger.receive(arrival, incoming, size);
    }
    deliveries.length = count;
    this.received += deliveries.length;
    this.#settleDemand(opened, deliveries.length);
    opened.taking = true;
    const taken = this.#options.received(deliveries);
    opened.taking = false;
    if (isThenable(taken)) opened.pulling = this.#whenTaken(opened, taken);
    if (garbage !== undefined) this.#crash(opened, garbage);
    return deliveries.length > 0;
  }

  async #whenTaken(opened: Opened, taken: PromiseLike<void>): Promise<void> {
    await taken;
    opened.pulling = undefined;
    this.#options.advance();
  }

  /** What there was no room for is taken in all the same, now that no more will come. */
  #takeOverflow(opened: Opened): void {
    const messages = opened.overflow.splice(0);
    if (messages.length > 0) this.#take(opened, messages, { messages: 0, bytes: Infinity });
  }

  #settleDemand(opened: Opened, messages: number): void {
    const { demand } = opened;
    if (demand === undefined) return;
    opened.demand = undefined;
    this.#options.came(demand.messages, messages);
  }

  #failed(opened: Opened, error: unknown): void {
    this.#settleDemand(opened, 0);
    this.#crash(opened, error);
  }

  #crash(opened: Opened, cause: unknown): void {
    // What a session that was already given up throws, an abort for one, is nobody's concern.
    if (this.#opened !== opened || this.#draining) return;
    this.#options.crashed(this.#error("failed", cause));
  }

  #error(what: string, cause: unknown): ProducerError {
    const { source } = this.#options;
    return new ProducerError(`The producer "${source}" ${what}: ${describe(cause)}`, { cause });
  }

  #wait({ session }: Opened): void {
    if (this.#woken) {
      this.#options.clock.defer(() => this.#options.advance());
      return;
    }
    this.#idling = true;
    const idle = session.idle ?? IDLE;
    if (idle === Infinity) return;
    this.#idle = this.#options.clock.setTimer(() => {
      this.#stopIdling();
      this.#options.advance();
    }, idle);
  }

  #stopIdling(): void {
    this.#idling = false;
    if (this.#idle !== undefined) this.#options.clock.clearTimer(this.#idle);
    this.#idle = undefined;
  }

  /** Extends the lease of all that is unsettled, at a third of its length. */
  #keepLease(opened: Opened): void {
    const { session, account } = opened;
    const { lease } = session;
    if (lease === undefined || session.extend === undefined) return;
    opened.lease = this.#options.clock.setTimer(() => {
      const messages = [...account.unsettled()]
        .filter(({ acknowledged }) => !acknowledged)
        .map(({ incoming }) => incoming);
      void this.#attempt(() =>
        messages.length > 0 ? session.extend?.(messages, lease) : undefined,
      );
      this.#keepLease(opened);
    }, lease / 3);
  }

  async #giveBack(
    { session }: Opened,
    messages: readonly Incoming<unknown, unknown>[],
  ): Promise<void> {
    await this.#attempt(() => session.release?.(messages));
  }

  async #close(opened: Opened): Promise<void> {
    this.#retired.delete(opened);
    opened.closed = true;
    if (opened.lease !== undefined) this.#options.clock.clearTimer(opened.lease);
    await this.#attempt(() => opened.session.close?.());
    this.#options.closed(opened.account);
  }

  /** What goes wrong here must not keep the rest from going on, but is to be seen. */
  async #attempt(call: () => Awaitable<void> | undefined): Promise<void> {
    try {
      await call();
    } catch (cause) {
      this.#options.publish("westend:producer:error", { error: this.#error("failed", cause) });
    }
  }

  #find(account: Account): Opened | undefined {
    return [...this.#retired, this.#opened].find((one) => one?.account === account);
  }

  #sum(figure: "inFlight" | "bytes" | "unacknowledged"): number {
    let sum = this.#opened?.account[figure] ?? 0;
    for (const { account } of this.#retired) sum += account[figure];
    return sum;
  }
}

function sizeOf({ size, payload }: Incoming<unknown, unknown>): number {
  if (size !== undefined) return size >= 0 && size < Infinity ? size : 0;
  if (typeof payload === "string") return payload.length;
  return payload instanceof Uint8Array ? payload.byteLength : 0;
}

/** Says what went wrong without showing what may be secret. */
function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : describeValue(cause, true);
}
