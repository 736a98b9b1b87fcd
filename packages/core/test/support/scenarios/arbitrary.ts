import fc, { type Arbitrary } from "fast-check";
import type {
  AcknowledgePlan,
  BatchCallPlan,
  BatcherPlan,
  EventPlan,
  HandlePlan,
  LetterPlan,
  MessagePlan,
  RetryPlan,
  RoutePlan,
  Scenario,
  SourcePlan,
  Verdict,
  Wait,
} from "./plan.ts";

export interface ScenarioOptions {
  /** Whether it may be stopped, or never end by itself. */
  readonly stops: boolean;
  /** Whether a failure may stop it. */
  readonly fatal: boolean;
}

const { boolean, constant, constantFrom, integer, nat, record } = fc;

const several = <Value>(value: Arbitrary<Value>, max: number): Arbitrary<Value[]> =>
  fc.array(value, { maxLength: max, size: "max" });

/** So many times in a hundred; the plain case must stay common. */
const sometimes = <Value, Otherwise>(
  percent: number,
  value: Arbitrary<Value>,
  otherwise: Otherwise,
): Arbitrary<Value | Otherwise> =>
  fc.oneof(
    { weight: 100 - percent, arbitrary: constant(otherwise) },
    { weight: percent, arbitrary: value },
  );

const one = (percent: number): Arbitrary<boolean> => sometimes(percent, constant(true), false);

/** Long enough to meet timeouts, back-offs and one another. */
const wait: Arbitrary<Wait> = fc.oneof(
  constant(null),
  constantFrom<Wait>(0, 0, 1, 5, 20, 100, 700),
);
/** What things take that go well at last: less than any timeout. */
const briefly: Arbitrary<Wait> = constantFrom<Wait>(null, null, 0, 1, 5);

const verdict = ({ fatal }: ScenarioOptions): Arbitrary<Verdict> =>
  fc.oneof(
    { weight: 8, arbitrary: constant<Verdict>(true) },
    {
      weight: 3,
      arbitrary: constantFrom<Verdict>(false, "retry", "drop", "deadLetter", "fail", "hold"),
    },
    { weight: fatal ? 1 : 0, arbitrary: constant<Verdict>("stop") },
  );

const handle = (options: ScenarioOptions): Arbitrary<HandlePlan> =>
  record({
    wait,
    heeds: boolean(),
    end: constantFrom("throw", "throw", "fail", "drop", "garbage", "done"),
    verdict: verdict(options),
    acknowledgesNow: one(5),
  });

const route: Arbitrary<RoutePlan> = record({
  batcher: nat(2),
  key: sometimes(40, nat(2), undefined),
  flush: one(10),
  weight: constantFrom(1, 1, 1, 0, 2, 5),
  size: sometimes(30, constantFrom(0, 5, 40, -1), undefined),
  partition: nat(2),
  poison: sometimes(10, integer({ min: 1, max: 12 }), 0),
});

const message = (options: ScenarioOptions): Arbitrary<MessagePlan> =>
  record({
    key: sometimes(60, nat(3), undefined),
    size: constantFrom(0, 1, 5, 10, 30),
    attempt: constantFrom(1, 1, 1, 1, 1, 2, 4),
    undecodable: sometimes(10, integer({ min: 1, max: 3 }), 0),
    attempts: sometimes(60, several(handle(options), 3), []),
    last: record({
      wait: briefly,
      heeds: constant(true),
      end: constantFrom("done", "done", "done", "done", "drop"),
      verdict: constant<Verdict>(true),
      acknowledgesNow: one(5),
    }),
    routes: fc.oneof(several(route, 3), several(route, 1)),
  });

const retry = ({ fatal }: ScenarioOptions): Arbitrary<RetryPlan | undefined> =>
  sometimes(
    70,
    record({
      attempts: constantFrom(1, 2, 3, 5, Infinity),
      backoff: constantFrom(0, 1, 50, 400),
      whenExhausted: constantFrom<RetryPlan["whenExhausted"]>(
        undefined,
        "fail",
        "hold",
        "deadLetter",
        fatal ? "stop" : undefined,
      ),
      perSecond: sometimes(20, constantFrom(0.5, 5), undefined),
    }),
    undefined,
  );

const batchCall = (options: ScenarioOptions): Arbitrary<BatchCallPlan> =>
  record({
    wait,
    heeds: boolean(),
    throws: boolean(),
    verdict: verdict(options),
    each: several(constantFrom("ok", "ok", "fail", "drop"), 4),
  });

const batcher = (options: ScenarioOptions): Arbitrary<BatcherPlan> =>
  record({
    size: constantFrom(1, 2, 3, 5, 10, 100),
    bytes: sometimes(30, constantFrom(10, 25, 60), undefined),
    timeout: constantFrom(10, 100, 1000),
    weighs: one(30),
    split: sometimes(15, integer({ min: 1, max: 4 }), undefined),
    partitions: one(40),
    concurrency: constantFrom(1, 1, 2, 3),
    bisect: one(40),
    handleTimeout: sometimes(30, constantFrom(10, 60), undefined),
    retry: retry(options),
    calls: sometimes(50, several(batchCall(options), 6), []),
    wait: briefly,
  });

const acknowledgement: Arbitrary<AcknowledgePlan> = record({
  wait,
  refuses: constantFrom("nothing", "nothing", "everything", "final", "odd", "throws", "nonsense"),
});

const source = ({ stops }: ScenarioOptions): Arbitrary<SourcePlan> =>
  record({
    sessions: constantFrom(1, 1, 1, 2, 3),
    chunks: fc.array(constantFrom(0, 1, 1, 2, 4, 100), { minLength: 1, maxLength: 6 }),
    waits: fc.oneof(
      constant([null]),
      fc.array(constantFrom<Wait>(null, 0, 3, 30, 300), { minLength: 1, maxLength: 5 }),
    ),
    polls: sometimes(30, constantFrom<Wait>(20, 500, 2000), null),
    failures: sometimes(25, several(nat(8), 3), []),
    unopened: sometimes(10, several(integer({ min: 1, max: 4 }), 2), []),
    releases: boolean(),
    heeds: one(80),
    measures: one(70),
    excess: sometimes(10, constantFrom(1, 5), 0),
    lease: sometimes(15, constantFrom(60, 300), undefined),
    endless: stops ? one(30) : constant(false),
    acknowledgements: sometimes(50, several(acknowledgement, 8), []),
    close: stops
      ? constantFrom<SourcePlan["close"]>("ok", "ok", "ok", "slow", "throws", "hangs")
      : constantFrom<SourcePlan["close"]>("ok", "ok", "ok", "slow", "throws"),
  });

const letter: Arbitrary<LetterPlan> = record({ wait, heeds: boolean(), fails: boolean() });

const moment: Arbitrary<Pick<EventPlan, "at" | "nth">> = fc.oneof(
  record({ at: constant("time" as const), nth: constantFrom(0, 1, 4, 20, 60, 150, 400, 1100) }),
  record({
    at: constantFrom("handle", "batch", "pull", "acknowledge", "letter", "onFailed"),
    nth: integer({ min: 1, max: 12 }),
  }),
);

const deed = (options: ScenarioOptions): Arbitrary<Deed> =>
  fc.oneof(
    record({ do: constantFrom("pause", "resume", "wake") }),
    record({
      do: constant("push"),
      messages: fc.array(message(options), { minLength: 1, maxLength: 5 }),
    }),
    record({ do: constant("revoke"), odd: boolean(), timeout: constantFrom(1, 50, 1000) }),
    record({ do: constant("limit"), maxInFlight: constantFrom(3, 5, 10, 50) }),
    record({ do: constant("rate"), messages: constantFrom(null, 1, 5, 100) }),
    record({ do: constant("concurrency"), concurrency: constantFrom(1, 2, 5) }),
    record({
      do: constant("batcher"),
      batcher: nat(2),
      size: constantFrom(1, 3, 20),
      timeout: constantFrom(1, 30, 500),
      concurrency: constantFrom(1, 2, 4),
    }),
  );

type Deed = EventPlan extends infer Plan
  ? Plan extends EventPlan
    ? Omit<Plan, "at" | "nth">
    : never
  : never;

const stop = record({ do: constant("stop"), timeout: constantFrom(0, 1, 20, 100, 1000, 30_000) });

const events = (options: ScenarioOptions): Arbitrary<EventPlan[]> =>
  several(
    fc
      .tuple(options.stops ? fc.oneof(deed(options), stop) : deed(options), moment)
      .map(([what, when]) => ({ ...what, ...when })),
    5,
  );

/** Where nothing takes time, things happen in ways of their own. */
function instant(scenario: Scenario): Scenario {
  return JSON.parse(
    JSON.stringify(scenario, (key, value: unknown) => {
      if (key === "wait") return null;
      return value === Infinity ? "Infinity" : value;
    }),
    (_, value: unknown) => (value === "Infinity" ? Infinity : value),
  ) as Scenario;
}

/** Any scenario there is. */
export function scenarios(options: ScenarioOptions): Arbitrary<Scenario> {
  const scenario: Arbitrary<Scenario> = record({
    seed: nat(),
    messages: several(message(options), 25),
    source: source(options),
    processor: record({
      concurrency: constantFrom(1, 2, 4, 10),
      partitions: one(30),
      ownSignal: boolean(),
      timeout: sometimes(30, constantFrom(10, 60), undefined),
      retry: retry(options),
      decoding: sometimes(
        25,
        fc.array(constantFrom<Wait>(null, 0, 5), { minLength: 1, maxLength: 4 }),
        undefined,
      ),
      preparing: sometimes(
        20,
        fc.array(record({ wait: briefly, throws: one(30) }), { minLength: 1, maxLength: 3 }),
        undefined,
      ),
    }),
    batchers: several(batcher(options), 3),
    letters: sometimes(60, several(letter, 5), undefined),
    maxInFlight: constantFrom(3, 4, 8, 20, 200),
    maxBytes: constantFrom(25, 60, 200, 1_000_000),
    rate: sometimes(15, constantFrom(1, 4, 30), undefined),
    events: events(options),
  });
  return fc.tuple(scenario, boolean()).map(([plan, slow]) => (slow ? plan : instant(plan)));
}
