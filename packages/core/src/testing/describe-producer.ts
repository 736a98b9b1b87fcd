import type { Clock } from "../clock.ts";
import type { Awaitable, Producer } from "../producer.ts";
import type { Scenario } from "./conformance/scenario.ts";
import { scenarios } from "./conformance/scenarios.ts";
import { Trial } from "./conformance/trial.ts";
import { type VirtualClock, virtualClock } from "./virtual-clock.ts";

/** What a producer promises beyond the contract; what it does not promise is not tested. */
export interface ProducerFeatures {
  /** Messages come in the order in which they were sent. */
  readonly order?: boolean | undefined;
  /** More can be sent while a session is open; without it the source holds what was sent before, and ends with it. */
  readonly live?: boolean | undefined;
  /** The source can come to an end: `finish`. */
  readonly finite?: boolean | undefined;
  /** What was handed over and never acknowledged comes again once the session is closed, or after `expire`. */
  readonly redelivery?: boolean | undefined;
  /** What is released comes again. */
  readonly release?: boolean | undefined;
  /** `attempt` counts deliveries: one more at each redelivery, none for what was released. */
  readonly attempts?: boolean | undefined;
  /** Messages know their size, and a pull keeps to the bytes it is asked for. */
  readonly sizes?: boolean | undefined;
  /** Messages carry the key they were sent with: `send(values, { key })`. */
  readonly key?: boolean | undefined;
  /** Several sessions share the source. */
  readonly sessions?: boolean | undefined;
  /** What is extended stays ours beyond its lease. */
  readonly lease?: boolean | undefined;
  /** What became of a message handed back as failed: it comes again, at the latest after `expire`, or it is gone. */
  readonly failed?: "again" | "gone" | undefined;
  /** An acknowledgement can be refused in part: `refuse`. */
  readonly refusal?: boolean | undefined;
  /** A pull can fail: `break`. What was not handed over comes after the session has been opened again. */
  readonly recovery?: boolean | undefined;
  /** Another run of the pipeline goes on where the last one stopped. */
  readonly reopen?: boolean | undefined;
}

/** A producer, and a hold on the source behind it. */
export interface ProducerHarness<Payload, Metadata> {
  readonly producer: Producer<Payload, Metadata>;
  /** Puts one message for each value into the source, in this order; values are unlike one another. */
  send(values: readonly string[], options?: { readonly key?: string | undefined }): Awaitable<void>;
  /**
   * The value a payload was made from.
   * @defaultValue the payload itself if it is a string, or the text that its bytes are
   */
  textOf?(payload: Payload): string;
  /** How many messages the source still has: not handed over, and handed over but not settled. */
  counts?(): Awaitable<{ readonly waiting: number; readonly taken: number }>;
  /** Nothing more will be sent. */
  finish?(): Awaitable<void>;
  /** Makes the next pull fail, once. */
  break?(): Awaitable<void>;
  /** Makes the source refuse to acknowledge the messages of these values, once. */
  refuse?(values: readonly string[]): Awaitable<void>;
  /** Lets the time run out after which a message nobody acknowledged, or one that failed, comes again. */
  expire?(): Awaitable<void>;
  close?(): Awaitable<void>;
}

export interface ProducerSuite<Payload, Metadata> {
  /** Names the suite; the producer's name by default. */
  readonly name?: string | undefined;
  /** A new source with nothing in it. */
  create(environment: { readonly clock: Clock }): Awaitable<ProducerHarness<Payload, Metadata>>;
  readonly features: ProducerFeatures;
  /**
   * Time, for a source of which it can be kept in memory; `systemClock` for a real one.
   * @defaultValue a virtual clock for each test
   */
  readonly clock?: Clock | undefined;
  /**
   * Real milliseconds after which what does not come is taken not to come.
   * @defaultValue 1000 with a virtual clock, else 10_000
   */
  readonly patience?: number | undefined;
  /** @defaultValue the global of this name */
  readonly describe?: ((name: string, body: () => void) => unknown) | undefined;
  /** @defaultValue the global of this name */
  readonly it?: DefineTest | undefined;
}

/** What test runners call `it`. */
export interface DefineTest {
  (title: string, run: () => Promise<void>): unknown;
  readonly skip?: ((title: string, run: () => Promise<void>) => unknown) | undefined;
}

/**
 * Defines the tests that every producer has to pass, with whatever test runner there is. What needs a feature that the producer
 * does not promise is skipped, and says so.
 * @example
 * ```ts
 * describeProducer({
 *   create() {
 *     const producer = memory<string>();
 *     return { producer, send: (values) => producer.push(...values), finish: () => producer.end() };
 *   },
 *   features: { order: true, live: true, finite: true, redelivery: true, release: true, reopen: true },
 * });
 * ```
 */
export function describeProducer<Payload, Metadata>(suite: ProducerSuite<Payload, Metadata>): void {
  const globals = globalThis as { describe?: ProducerSuite<never, never>["describe"] } & {
    it?: DefineTest;
  };
  const describe = suite.describe ?? globals.describe;
  const it = suite.it ?? globals.it;
  if (describe === undefined || it === undefined) {
    throw new TypeError(
      "describeProducer: there is no global describe and it. Pass on those of your test runner.",
    );
  }
  describe(`${suite.name ?? "producer"}: conformance`, () => {
    for (const scenario of scenarios) {
      const missing = scenario.needs.filter(
        (feature) => suite.features[feature] === undefined || suite.features[feature] === false,
      );
      if (missing.length === 0) it(scenario.title, () => attempt(suite, scenario));
      else skip(it, `${scenario.title} (not promised: ${missing.join(", ")})`);
    }
  });
}

function skip(it: DefineTest, title: string): void {
  const nothing = (): Promise<void> => Promise.resolve();
  if (it.skip === undefined) it(title, nothing);
  else it.skip(title, nothing);
}

async function attempt<Payload, Metadata>(
  { create, clock, features, patience }: ProducerSuite<Payload, Metadata>,
  scenario: Scenario,
): Promise<void> {
  const time: Clock | VirtualClock = clock ?? virtualClock();
  const virtual = "advance" in time ? (time as VirtualClock) : undefined;
  const harness = await create({ clock: time });
  const trial = new Trial({ harness, features, clock: time, virtual, patience });
  try {
    await scenario.run(trial);
  } finally {
    await trial.end();
    await trial.time.settled(harness.close?.(), "close() of the harness");
  }
}
