import assert from "node:assert/strict";
import type { Outcome, Refused, SettledMessage } from "../../acknowledger.ts";
import type {
  Demand,
  Incoming,
  Producer,
  ProducerContext,
  ProducerSession,
} from "../../producer.ts";
import type { Time } from "./time.ts";

/** Milliseconds without a message after which none is taken to come. */
const QUIET = 5000;
/** Milliseconds that an aborted pull may still take. */
const SOON = 1000;
/** What a stage waits after an empty pull, unless the session says otherwise. */
const IDLE = 100;

/** Calls of `wake()` that may be followed by an empty pull. */
const WAKES = 1000;

export type Handed = Incoming<unknown, unknown>;

export interface TrialSessionOptions {
  readonly producer: Producer<unknown>;
  readonly time: Time;
  /** Aborts when the pipeline ends. */
  readonly run: AbortSignal;
  readonly index: number;
  textOf(payload: unknown): string;
}

/** A session, treated as a pipeline would. */
export class TrialSession {
  readonly #options: TrialSessionOptions;
  readonly #controller = new AbortController();
  #session: ProducerSession<unknown> | undefined;
  #woken = false;
  #wakes = 0;

  constructor(options: TrialSessionOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    const { producer, time, run, index } = this.#options;
    const context: ProducerContext = {
      pipeline: "conformance",
      source: producer.name,
      index,
      clock: time.clock,
      signal: run,
      wake: () => {
        this.#woken = true;
      },
      revoke: () => Promise.resolve(),
      telemetry: () => {},
    };
    this.#session = await time.settled(producer.open(context), "open()");
  }

  get session(): ProducerSession<unknown> {
    assert.ok(this.#session, "the session is not open");
    return this.#session;
  }

  /** What all pulls are given unless told otherwise, as in a pipeline. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** One pull, and what holds of every pull. */
  async pull(
    demand: Partial<Demand> = {},
    what: string = "a pull",
  ): Promise<readonly Handed[] | null> {
    const { messages = 10, bytes = Infinity } = demand;
    this.#woken = false;
    const result = this.session.pull({ messages, bytes }, this.signal);
    const pulled = await this.#options.time.settled(result, what);
    return this.#checked(pulled, messages);
  }

  /** Pulls until something comes, and gives what one pull brought; fails if nothing does. */
  async some(demand: Demand): Promise<readonly Handed[]> {
    const { clock, limit } = this.#options.time;
    const end = clock.now() + limit;
    for (;;) {
      const pulled = await this.pull(demand, `something for a demand of ${demand.bytes} bytes`);
      if (pulled === null || pulled.length > 0) return pulled ?? [];
      assert.ok(clock.now() < end, `nothing came for a demand of ${demand.bytes} bytes`);
      await this.#idle(end);
    }
  }

  /** Pulls until so many messages have come; fails if they do not. */
  async take(count: number, demand: number = count): Promise<Handed[]> {
    const { clock, limit } = this.#options.time;
    const taken: Handed[] = [];
    const end = clock.now() + limit;
    while (taken.length < count) {
      const messages = Math.min(demand, count - taken.length);
      const pulled = await this.pull({ messages }, `message ${taken.length + 1} of ${count}`);
      assert.ok(pulled, `the source ended after ${taken.length} of ${count} messages`);
      taken.push(...pulled);
      if (pulled.length > 0) continue;
      assert.ok(clock.now() < end, `only ${taken.length} of ${count} messages came`);
      await this.#idle(end);
    }
    return taken;
  }

  /** Takes whatever comes, and acknowledges nothing, until nothing more does. Ends the reading of the session. */
  async takeAll(): Promise<Handed[]> {
    const { time } = this.#options;
    const taken: Handed[] = [];
    const end = time.clock.now() + QUIET;
    while (time.clock.now() < end && !this.signal.aborted) {
      const pulled = await this.#pullUntil(end);
      if (pulled === null) break;
      taken.push(...pulled);
      if (pulled.length === 0) await this.#idle(end);
    }
    return taken;
  }

  /** Pulls until the source ends; acknowledges what comes. */
  async takeToTheEnd(): Promise<Handed[]> {
    const { clock, limit } = this.#options.time;
    const taken: Handed[] = [];
    const end = clock.now() + limit;
    for (;;) {
      const pulled = await this.pull({}, `the end, after ${taken.length} messages`);
      if (pulled === null) return taken;
      taken.push(...pulled);
      if (pulled.length > 0) await this.acknowledge(pulled);
      else await this.#idle(end);
      assert.ok(clock.now() < end, "the source did not end");
    }
  }

  /** A pull that is aborted if it does not settle at once. Gives what came nevertheless. */
  async abortedPull(): Promise<readonly Handed[]> {
    const pulled = await this.#pullUntil(this.#options.time.clock.now() + 1);
    assert.ok(pulled, "pull() gave null, which says that the source has ended; it has not");
    return pulled;
  }

  /** A pull that is aborted in the moment in which something is done to its source. */
  async pullAbortedBy(act: () => Promise<void>): Promise<readonly Handed[]> {
    const { pulled, state } = this.#begin();
    await this.#options.time.within(1, () => state.settled, false);
    const acted = act();
    const aborted = this.#abort(state);
    await acted;
    await aborted;
    return (await pulled.catch(nothing)) ?? [];
  }

  async acknowledge(
    messages: readonly Handed[],
    outcome: Outcome = "succeeded",
  ): Promise<readonly SettledMessage[]> {
    return (
      (await this.settle([...messages].map((incoming) => ({ incoming, outcome }))))?.refused ?? []
    );
  }

  /** Tells the session what has ended, in one call. */
  async settle(
    messages: readonly { readonly incoming: Handed; readonly outcome: Outcome }[],
  ): Promise<Refused | undefined> {
    const settled = messages.map((message): SettledMessage => ({
      ...message,
      reason: message.outcome === "failed" ? new Error("It failed.") : undefined,
      ackOptions: undefined,
    }));
    const succeeded = settled.filter(({ outcome }) => outcome !== "failed");
    const failed = settled.filter(({ outcome }) => outcome === "failed");
    const result = this.session.acknowledge({ succeeded, failed });
    const refused = await this.#options.time.settled(result, "acknowledge()");
    for (const message of refused?.refused ?? []) {
      assert.ok(settled.includes(message), "refused names something it was not given");
    }
    return refused ?? undefined;
  }

  async release(messages: readonly Handed[]): Promise<void> {
    const { session } = this;
    assert.equal(typeof session.release, "function", "the session has no release()");
    await this.#options.time.settled(session.release?.(messages), "release()");
  }

  async drain(): Promise<void> {
    this.#controller.abort(new Error("The pipeline is draining."));
    await this.#options.time.settled(this.#session?.drain?.(), "drain()");
  }

  /** Gives the session up, and closes it. */
  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    this.#controller.abort(new Error("The session is given up."));
    await this.#options.time.settled(session?.close?.(), "close()");
  }

  values(messages: readonly Handed[]): string[] {
    return messages.map(({ payload }) => this.#options.textOf(payload));
  }

  /** One pull; aborted if it has not settled by then, which ends the reading of the session. */
  async #pullUntil(end: number): Promise<readonly Handed[] | null> {
    const { time } = this.#options;
    const { pulled, state } = this.#begin();
    if (await time.within(end - time.clock.now(), () => state.settled, false)) return pulled;
    await this.#abort(state);
    return pulled.catch(nothing);
  }

  #begin(): {
    readonly pulled: Promise<readonly Handed[] | null>;
    readonly state: { readonly settled: boolean };
  } {
    this.#woken = false;
    const result = this.session.pull({ messages: 10, bytes: Infinity }, this.signal);
    const pulled = Promise.resolve(result).then((messages) => this.#checked(messages, 10));
    return { pulled, state: this.#options.time.watch(pulled).state };
  }

  async #abort(state: { readonly settled: boolean }): Promise<void> {
    this.#controller.abort(new Error("The session is given up."));
    const settled = await this.#options.time.within(SOON, () => state.settled);
    assert.ok(settled, `a pull did not settle within ${SOON} ms after its signal had aborted`);
  }

  /** Waits, after an empty pull, until another one is due. */
  async #idle(end: number): Promise<void> {
    const { time } = this.#options;
    const { idle = IDLE } = this.session;
    const wait = Math.min(idle, end - time.clock.now());
    if (this.#woken)
      assert.ok(this.#wakes++ < WAKES, "wake() is called, and nothing comes, again and again");
    await time.within(wait, () => this.#woken, false);
  }

  #checked(pulled: readonly Handed[] | null, demand: number): readonly Handed[] | null {
    if (pulled === null) return null;
    assert.ok(Array.isArray(pulled), "pull() gave neither an array nor null");
    assert.ok(
      pulled.length <= demand,
      `pull() gave ${pulled.length} messages for a demand of ${demand}`,
    );
    for (const message of pulled) {
      assert.ok(
        typeof message === "object" && message !== null,
        "pull() gave something that is no message",
      );
      assert.ok("payload" in message, "a message has no payload");
      assert.ok("metadata" in message, "a message has no metadata");
      const { attempt } = message;
      assert.ok(
        attempt === undefined || (Number.isInteger(attempt) && attempt >= 1),
        `attempt is ${attempt}`,
      );
    }
    return pulled;
  }
}

/** An aborted pull may reject: that ends the session, which is what the abort was for. */
function nothing(reason: unknown): [] {
  if (reason instanceof assert.AssertionError) throw reason;
  return [];
}
