import type { Clock } from "../clock.ts";
import { ProducerError } from "../errors.ts";
import { describeCause } from "../options/words.ts";
import type { Awaitable, Demand, Producer, ProducerContext, ProducerSession } from "../producer.ts";
import type { Publish } from "../telemetry.ts";
import type { Account, Arrival } from "./account.ts";
import { Alarm } from "./alarm.ts";
import type { Delivery } from "./delivery.ts";
import type { Ledger } from "./ledger.ts";
import { Session } from "./session.ts";

/** Milliseconds to wait after an empty pull, unless the session says otherwise. */
const IDLE = 100;

const UNLIMITED: Demand = { messages: Infinity, bytes: Infinity };

export interface ProducerStageOptions {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly producer: Producer<unknown>;
  readonly source: string;
  readonly publish: Publish<"pipeline" | "source" | "index">;
  /** For a session that is there, and can be asked for, once it is open. */
  context(session: () => Session | undefined): ProducerContext;
  /** What a pull may ask for; undefined if there is no room. */
  demand(stage: ProducerStage): Demand | undefined;
  /** What may come in now. */
  room(stage: ProducerStage): Demand;
  opened(session: ProducerSession<unknown>): Account;
  received(arrival: Arrival): Awaitable<void>;
  crashed(error: ProducerError): void;
  closed(account: Account): void;
  advance(): void;
}

/** Keeps one session of a producer open and asks it for as much as there is room for, never more. */
export class ProducerStage {
  readonly #options: ProducerStageOptions;
  #opened: Session | undefined;
  /** Sessions that no longer pull, but are still told what became of their messages. */
  readonly #retired = new Set<Session>();
  #idling = false;
  readonly #idle: Alarm;
  #woken = false;
  #draining = false;
  #generation = 0;
  ended: boolean = false;
  received: number = 0;

  constructor(options: ProducerStageOptions) {
    this.#options = options;
    this.#idle = new Alarm(options.clock, () => this.#goOn());
  }

  /** Messages out of this source and not acknowledged. */
  get inFlight(): number {
    return this.#sum(inFlightOf);
  }

  get bytes(): number {
    return this.#sum(bytesOf);
  }

  /** Messages that came when there was no room for them. */
  get held(): number {
    return this.#sum(heldOf);
  }

  /** The books of its sessions, of those that no longer pull, too. */
  get accounts(): readonly Account[] {
    return this.#sessions.map(({ account }) => account);
  }

  get session(): ProducerSession<unknown> | undefined {
    return this.#opened?.session;
  }

  /** Opens a session; a failure to do so is a crash like any other. */
  async start(): Promise<void> {
    if (this.#draining) return;
    const generation = ++this.#generation;
    const { producer, crashed, advance } = this.#options;
    const isLate = (): boolean => generation !== this.#generation || this.#draining;
    try {
      let opened: Session | undefined;
      const session = await producer.open(this.#options.context(() => opened));
      if (typeof session?.pull !== "function" || typeof session.acknowledge !== "function") {
        throw new TypeError("open() gave no pull or acknowledge.");
      }
      if (isLate()) {
        await session.close?.();
        return;
      }
      this.#opened = opened = this.#makeSession(session);
      advance();
    } catch (cause) {
      if (!isLate()) crashed(this.#error("could not be opened", cause));
    }
  }

  /** It would pull now if there were room. */
  get willing(): boolean {
    const opened = this.#opened;
    if (opened === undefined || opened.busy || opened.held > 0) return false;
    return !this.ended && !this.#draining && !this.#idling;
  }

  /** Hands on what waits for room, and pulls once if there is some left; true if messages came at once. */
  pull(): boolean {
    let came = this.#opened?.handOn() ?? false;
    if (this.#retired.size > 0) for (const one of this.#retired) came = one.handOn() || came;
    if (this.#opened === undefined || !this.willing) return came;
    const demand = this.#options.demand(this);
    if (demand === undefined) return came;
    this.#woken = false;
    return this.#opened.pull(demand) || came;
  }

  /** A pull is worth while again. */
  wake(): void {
    this.#woken = true;
    if (this.#idling) this.#goOn();
  }

  #goOn(): void {
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
    this.#retired.add(opened);
    void opened.quiet(new Error("The session has ended."));
  }

  /** Closes retired sessions whose last message has been acknowledged. */
  closeRetired(): void {
    for (const session of this.#retired) if (session.over) void this.#close(session);
  }

  /** Stops receiving. Resolves when no more messages can come. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#stopIdling();
    const opened = this.#opened;
    const reason = new Error("The pipeline is draining.");
    await Promise.all(this.#sessions.map((session) => session.quiet(reason)));
    // What waits for room can go back now.
    this.#options.advance();
    await opened?.drain();
  }

  /** Hands messages back unhandled. */
  async release(account: Account, messages: readonly Delivery[]): Promise<void> {
    const session = this.#sessions.find((one) => one.account === account);
    await session?.release(messages.map(({ incoming }) => incoming));
  }

  /** Closes everything it has open. */
  async close(): Promise<void> {
    this.#draining = true;
    this.retire();
    await Promise.all([...this.#retired].map((session) => this.#close(session)));
  }

  #makeSession(session: ProducerSession<unknown>): Session {
    const { source, opened, room, publish } = this.#options;
    return new Session({
      ...this.#options,
      session,
      account: opened(session),
      // What can go back needs no room: it is not handled any more.
      room: () => (this.#draining && session.release !== undefined ? UNLIMITED : room(this)),
      pulled: (demand, messages, duration) => {
        publish("westend:producer:pulled", { messages, duration });
        if (messages <= demand.messages) return;
        const error = new ProducerError(
          `The producer "${source}" gave ${messages} messages for a demand of ${demand.messages}. The rest waits for room.`,
        );
        publish("westend:producer:error", { error });
      },
      empty: (self, ended) => {
        if (self !== this.#opened) return;
        this.ended = ended;
        if (ended) publish("westend:producer:ended", {});
        else this.#wait(self);
      },
      received: (arrival) => {
        this.received += arrival.received;
        return this.#options.received(arrival);
      },
      failed: (self, cause) => {
        // What a session that was already given up throws, an abort for one, is nobody's concern.
        if (this.#opened !== self || this.#draining) return;
        this.#options.crashed(this.#error("failed", cause));
      },
      ignored: (cause) => {
        publish("westend:producer:error", { error: this.#error("failed", cause) });
      },
    });
  }

  #wait({ session }: Session): void {
    if (this.#woken) {
      this.#options.clock.defer(() => this.#options.advance());
      return;
    }
    this.#idling = true;
    const idle = session.idle ?? IDLE;
    if (idle !== Infinity) this.#idle.set(idle);
  }

  #stopIdling(): void {
    this.#idling = false;
    this.#idle.clear();
  }

  async #close(session: Session): Promise<void> {
    this.#retired.delete(session);
    await session.close();
    this.#options.closed(session.account);
  }

  #error(what: string, cause: unknown): ProducerError {
    const { source } = this.#options;
    return new ProducerError(`The producer "${source}" ${what}: ${describeCause(cause)}`, {
      cause,
    });
  }

  get #sessions(): readonly Session[] {
    return this.#opened === undefined ? [...this.#retired] : [...this.#retired, this.#opened];
  }

  #sum(figure: (session: Session) => number): number {
    let sum = this.#opened === undefined ? 0 : figure(this.#opened);
    if (this.#retired.size > 0) for (const session of this.#retired) sum += figure(session);
    return sum;
  }
}

// Asked for at every pull: made once.
const inFlightOf = ({ account }: Session): number => account.inFlight;
const bytesOf = ({ account }: Session): number => account.bytes;
const heldOf = ({ held }: Session): number => held;
