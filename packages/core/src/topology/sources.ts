import type { Clock } from "../clock.ts";
import { look } from "../options/look.ts";
import type { Awaitable, Demand, ProducerContext, ProducerSession } from "../producer.ts";
import type { RateLimit } from "../rate-limit.ts";
import type { ProducerStats } from "../report.ts";
import { type Publish, publisher } from "../telemetry.ts";
import { Account, type Arrival, type SettledGroup } from "./account.ts";
import { AcknowledgerStage } from "./acknowledger-stage.ts";
import type { Delivery } from "./delivery.ts";
import type { Ledger } from "./ledger.ts";
import { ProducerStage } from "./producer-stage.ts";
import { PushSource } from "./push-source.ts";
import { RateLimiter } from "./rate-limiter.ts";
import type { Session } from "./session.ts";
import type { Settings, SourceSettings } from "./settings.ts";
import type { Child } from "./supervisor.ts";

/** The most that is asked of a source before what is settled is acknowledged. */
const GROUP = 256;

export interface SourcesOptions {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly settings: Settings;
  readonly signal: AbortSignal;
  received(arrival: Arrival): Awaitable<void>;
  /** Whether messages are wanted at once, however few there is room for. */
  starving(): boolean;
  revoke(
    account: Account,
    predicate: (delivery: Delivery) => boolean,
    timeout: number,
  ): Promise<void>;
  acknowledged(group: SettledGroup, now: number): void;
  crashed(source: Source, error: unknown): void;
  advance(): void;
}

/** One session of one producer: a child of the producers' supervisor. */
export interface Source extends Child {
  readonly settings: SourceSettings;
  readonly stage: ProducerStage;
  /** Its part of the budget; the sources share it by weight, so that none starves another. */
  readonly share: number;
  readonly limiter: RateLimiter | undefined;
  opened: boolean;
  restarts: number;
  refused: number;
}

/** All producers of a pipeline, the room they share, and what they are told of their messages. */
export class Sources {
  readonly #options: SourcesOptions;
  readonly #acknowledgers = new Map<Account, AcknowledgerStage>();
  #limiter: RateLimiter | undefined;
  readonly push: PushSource = new PushSource();
  readonly all: readonly Source[];
  #maxInFlight = 0;
  /** How many settled messages make it worth while to acknowledge them. */
  group: number = 0;
  #pulls = 0;
  /** Who is asked first. */
  #next = 0;
  paused: boolean = false;

  constructor(options: SourcesOptions) {
    this.#options = options;
    const { settings } = options;
    this.maxInFlight = settings.maxInFlight;
    this.#limiter = this.#limit(settings.rateLimit);
    // Without sources, in a test, pushes have all of the budget.
    const weights = settings.sources.reduce((sum, { weight }) => sum + weight, 0) || 1;
    const pushed: SourceSettings = {
      name: this.push.name,
      producer: this.push,
      concurrency: 1,
      weight: weights,
      rateLimit: undefined,
    };
    this.all = [pushed, ...settings.sources].flatMap((source) => {
      // The sessions of one producer share its limit.
      const limiter = this.#limit(source.rateLimit);
      const share = source.weight / weights / source.concurrency;
      return Array.from({ length: source.concurrency }, (_, index) =>
        this.#source(source, index, share, limiter),
      );
    });
  }

  get maxInFlight(): number {
    return this.#maxInFlight;
  }

  set maxInFlight(messages: number) {
    this.#maxInFlight = messages;
    this.group = Math.min(GROUP, Math.max(1, messages >> 1));
  }

  /** Every source has ended, and nothing waits for room; never without sources, when only pushes come. */
  get ended(): boolean {
    return (
      this.all.length > 1 &&
      this.push.waiting + this.held === 0 &&
      this.all.every((source) => this.#isPush(source) || source.stage.ended)
    );
  }

  /** Messages that came when there was no room for them. */
  get held(): number {
    let sum = 0;
    for (const { stage } of this.all) sum += stage.held;
    return sum;
  }

  set rateLimit(limit: RateLimit | undefined) {
    if (limit !== undefined && this.#limiter !== undefined) {
      this.#limiter.update(limit);
      return;
    }
    this.#limiter?.stop();
    this.#limiter = this.#limit(limit);
  }

  /** Pulls from every source that has room; true if messages came at once. */
  pull(): boolean {
    const { all } = this;
    const first = this.#next;
    let came = false;
    for (let index = 0; index < all.length; index++) {
      const position = (first + index) % all.length;
      const before = this.#pulls;
      came = (all[position] as Source).stage.pull() || came;
      // Whoever got something comes last the next time, when there may be enough for one alone.
      if (this.#pulls !== before) this.#next = position + 1;
    }
    return came;
  }

  /** Acknowledges everything that has settled. */
  flush(): void {
    for (const acknowledger of this.#acknowledgers.values()) acknowledger.flush();
    for (const { stage } of this.all) stage.closeRetired();
  }

  async drain(): Promise<void> {
    await Promise.all(this.all.map(({ stage }) => stage.drain()));
  }

  async close(): Promise<void> {
    this.#limiter?.stop();
    for (const { limiter } of this.all) limiter?.stop();
    this.push.end();
    // What has ended is told before, and nothing after: a session that is closed must not be told anything.
    this.flush();
    this.kill();
    await Promise.all(this.all.map(({ stage }) => stage.close()));
  }

  /** Gives up on acknowledgements that are being tried again. */
  kill(): void {
    for (const acknowledger of this.#acknowledgers.values()) acknowledger.kill();
  }

  /** What has ended and of which this session does not know yet. */
  unacknowledged(account: Account): Iterable<Delivery> {
    return this.#acknowledgers.get(account)?.unacknowledged() ?? [];
  }

  /** Says nothing any more of what is fenced. */
  withdraw(account: Account): void {
    this.#acknowledgers.get(account)?.withdraw();
  }

  /** The books of all sessions. */
  get accounts(): readonly Account[] {
    return this.all.flatMap(({ stage }) => stage.accounts);
  }

  /** The sessions of one producer are shown as one. */
  stats(): Record<string, ProducerStats> {
    const stats = new Map<string, Sum>();
    for (const source of this.all) {
      const { name, stage, refused, restarts } = source;
      if (this.#isPush(source) && stage.received === 0) continue;
      const sum: Sum = stats.get(name) ?? { ...NONE };
      sum.open += stage.session === undefined ? 0 : 1;
      sum.received += stage.received;
      sum.inFlight += stage.inFlight;
      for (const account of stage.accounts) {
        sum.unacknowledged += [...this.unacknowledged(account)].length;
      }
      sum.refused += refused;
      sum.restarts += restarts;
      sum.remaining = remainingOf(stage.session) ?? sum.remaining;
      stats.set(name, sum);
    }
    return Object.fromEntries(stats);
  }

  /** A source may not pull or hand on, though it would, for want of room. */
  get full(): boolean {
    return this.all.some((source) => {
      // What only waits for its rate limit has room.
      if (source.stage.held > 0) return this.#allowed(source) > 0;
      if (this.paused || !source.stage.willing) return false;
      const { messages, bytes } = this.#wanted(source);
      return messages <= 0 || bytes <= 0;
    });
  }

  /** What there is room for, whatever the rate limits say. */
  #room({ stage, share }: Source): Demand {
    const { ledger, settings } = this.#options;
    return {
      messages: this.maxInFlight - ledger.inFlight,
      bytes: Math.min(settings.maxBytes - ledger.bytes, settings.maxBytes * share - stage.bytes),
    };
  }

  /** How many messages the rate limits let come in now; after the deadline they are only counted. */
  #allowed({ limiter }: Source): number {
    if (this.#options.signal.aborted) return Infinity;
    return Math.min(partOf(limiter), partOf(this.#limiter));
  }

  /** What a source may be asked for: its part of the room that nothing else waits for. */
  #wanted(source: Source): Demand {
    const { messages, bytes } = this.#room(source);
    const quota = Math.max(1, Math.floor(this.maxInFlight * source.share)) - source.stage.inFlight;
    let waiting = 0;
    for (const one of this.all) {
      // What its rate limit holds needs no room yet, or it would starve the others for as long.
      if (one.stage.held > 0) waiting += Math.min(one.stage.held, this.#allowed(one));
    }
    return { messages: Math.min(messages - waiting, quota), bytes };
  }

  #demand(source: Source): Demand | undefined {
    if (this.paused) return undefined;
    const { starving } = this.#options;
    const { share, limiter, settings } = source;
    const { messages: most, bytes } = this.#wanted(source);
    if (most <= 0 || bytes <= 0) return undefined;
    // Few at a time only for want of work: a pull costs, and so does each small group.
    if (most < (this.maxInFlight * share) / 2 && !starving()) return undefined;
    // Others may be asked for the same tokens: each for its part of them, so that little comes that has to wait.
    const messages = Math.min(
      most,
      partOf(limiter, 1 / settings.concurrency),
      partOf(this.#limiter, share),
    );
    if (messages <= 0) return undefined;
    this.#pulls++;
    return { messages, bytes };
  }

  #limit(limit: RateLimit | undefined): RateLimiter | undefined {
    const { clock, advance } = this.#options;
    return limit === undefined ? undefined : new RateLimiter(clock, limit, advance);
  }

  #isPush({ settings }: Source): boolean {
    return settings.producer === this.push;
  }

  #source(
    settings: SourceSettings,
    index: number,
    share: number,
    limiter: RateLimiter | undefined,
  ): Source {
    const { crashed, received } = this.#options;
    const { name, producer } = settings;
    const label = { pipeline: this.#options.settings.name, source: name, index };
    const publish = publisher(label);
    const stage: ProducerStage = new ProducerStage({
      ...this.#options,
      producer,
      source: name,
      publish,
      context: (session) => ({ ...label, ...this.#context(stage, session, publish) }),
      demand: () => this.#demand(source),
      room: () => {
        const { messages, bytes } = this.#room(source);
        return { messages: Math.min(messages, this.#allowed(source)), bytes };
      },
      received: (arrival) => {
        limiter?.take(arrival.received);
        this.#limiter?.take(arrival.received);
        return received(arrival);
      },
      opened: (session) => {
        source.opened = true;
        publish("westend:producer:opened", {});
        return this.#account(source, session);
      },
      crashed: (error) => {
        source.restarts++;
        publish("westend:producer:error", { error });
        crashed(source, error);
      },
      closed: (account) => {
        this.#acknowledgers.get(account)?.kill();
        this.#acknowledgers.delete(account);
        publish("westend:producer:closed", {});
      },
    });
    const source: Source = {
      name,
      settings,
      stage,
      share,
      limiter,
      opened: false,
      restarts: 0,
      refused: 0,
      start: () => void stage.start(),
      stop: () => stage.retire(),
    };
    return source;
  }

  #account(source: Source, session: Parameters<ProducerStageOpened>[0]): Account {
    const { clock, settings } = this.#options;
    const publish = publisher({ pipeline: settings.name, source: source.name });
    const account = new Account(
      source.name,
      async (delivery) => {
        // Nobody sends again what was pushed, and who did is to be told of its end.
        if (!this.#isPush(source)) await acknowledger.acknowledgeNow(delivery);
      },
      session.release && ((deliveries) => source.stage.release(account, deliveries)),
    );
    const acknowledger = new AcknowledgerStage({
      ...this.#options,
      account,
      session,
      acknowledged: (group, began) => {
        const now = clock.now();
        this.#options.acknowledged(group, now);
        publish("westend:acknowledge:done", {
          succeeded: group.succeeded.length,
          failed: group.failed.length,
          duration: now - began,
        });
      },
      refused: (error) => {
        source.refused += error.count;
        publish("westend:acknowledge:refused", { messages: error.count, error });
      },
    });
    this.#acknowledgers.set(account, acknowledger);
    return account;
  }

  #context(
    stage: ProducerStage,
    opened: () => Session | undefined,
    publish: Publish<"pipeline" | "source" | "index">,
  ): Pick<ProducerContext, "clock" | "signal" | "wake" | "revoke" | "telemetry"> {
    const { clock, settings, signal, revoke } = this.#options;
    return {
      clock,
      signal,
      wake: () => stage.wake(),
      revoke: async (predicate, timeout = settings.shutdown) => {
        const session = opened();
        // Nothing has come of it yet.
        if (session === undefined) return;
        session.forget(predicate);
        await revoke(session.account, ({ incoming }) => predicate(incoming), timeout);
      },
      telemetry: (event, fields = {}) => publish("westend:producer:event", { event, fields }),
    };
  }
}

type ProducerStageOpened = ConstructorParameters<typeof ProducerStage>[0]["opened"];

/** So much of what a limit lets come now, at least a message; without a limit there is no end to it. */
function partOf(limiter: RateLimiter | undefined, share = 1): number {
  return limiter === undefined ? Infinity : Math.ceil(limiter.available() * share);
}

/** What it says, if it makes sense: figures must be had whatever a session does. */
function remainingOf(session: ProducerSession<unknown> | undefined): number | undefined {
  const left = look(() => session?.remaining?.(), undefined);
  return Number.isFinite(left) && (left as number) >= 0 ? left : undefined;
}

type Sum = { -readonly [Figure in keyof ProducerStats]: ProducerStats[Figure] };

const NONE: ProducerStats = {
  open: 0,
  received: 0,
  inFlight: 0,
  unacknowledged: 0,
  refused: 0,
  restarts: 0,
  remaining: undefined,
};
