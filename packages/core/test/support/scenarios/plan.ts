import type { FailureAction, WhenExhausted } from "westend";

/** Milliseconds something takes; null if it ends before it returns. */
export type Wait = number | null;

/** What `when` says of an error: undefined leaves it to the attempts. */
export type Verdict = FailureAction | boolean;

export interface RoutePlan {
  readonly batcher: number;
  readonly key: number | undefined;
  readonly flush: boolean;
  readonly weight: number;
  /** Bytes; a negative size cannot be batched. */
  readonly size: number | undefined;
  readonly partition: number;
  /** How many calls of a batch handler fail for having it in their batch. */
  readonly poison: number;
}

/** What one call of the processor's handler does. */
export interface HandlePlan {
  readonly wait: Wait;
  /** Whether it ends when its signal aborts. */
  readonly heeds: boolean;
  readonly end: "done" | "throw" | "fail" | "drop" | "garbage";
  readonly verdict: Verdict;
  readonly acknowledgesNow: boolean;
}

export interface MessagePlan {
  readonly key: number | undefined;
  readonly size: number;
  /** The attempt its source counts it at. */
  readonly attempt: number;
  /** How often it cannot be decoded. */
  readonly undecodable: number;
  /** Of its first attempts; what comes after them ends well. */
  readonly attempts: readonly HandlePlan[];
  readonly last: HandlePlan;
  readonly routes: readonly RoutePlan[];
}

export interface RetryPlan {
  readonly attempts: number;
  readonly backoff: number;
  readonly whenExhausted: WhenExhausted | undefined;
  /** Retries a second; undefined for the default budget. */
  readonly perSecond: number | undefined;
}

export interface BatchCallPlan {
  readonly wait: Wait;
  readonly heeds: boolean;
  readonly throws: boolean;
  readonly verdict: Verdict;
  /** What it says of its messages, over and over. */
  readonly each: readonly ("ok" | "fail" | "drop")[];
}

export interface BatcherPlan {
  readonly size: number;
  readonly bytes: number | undefined;
  readonly timeout: number;
  readonly weighs: boolean;
  /** Splits after so many messages. */
  readonly split: number | undefined;
  readonly partitions: boolean;
  readonly concurrency: number;
  readonly bisect: boolean;
  readonly handleTimeout: number | undefined;
  readonly retry: RetryPlan | undefined;
  /** Of its first calls; what comes after them ends well. */
  readonly calls: readonly BatchCallPlan[];
  readonly wait: Wait;
}

export interface SourcePlan {
  readonly sessions: number;
  /** How many messages a pull gives at most, over and over; 0 is an empty pull. */
  readonly chunks: readonly number[];
  readonly waits: readonly Wait[];
  /** Milliseconds a pull waits where there is nothing. */
  readonly polls: Wait;
  /** Pulls that fail, counted over all sessions. */
  readonly failures: readonly number[];
  /** Times that opening fails. */
  readonly unopened: readonly number[];
  readonly releases: boolean;
  readonly heeds: boolean;
  /** Whether it honours the bytes of a demand. */
  readonly measures: boolean;
  /** Messages it gives beyond what it is asked for. */
  readonly excess: number;
  readonly lease: number | undefined;
  readonly endless: boolean;
  /** What the first acknowledgements do; what comes after them goes well. */
  readonly acknowledgements: readonly AcknowledgePlan[];
  readonly close: "ok" | "slow" | "throws" | "hangs";
}

export interface AcknowledgePlan {
  readonly wait: Wait;
  readonly refuses: "nothing" | "everything" | "final" | "odd" | "throws" | "nonsense";
}

export interface LetterPlan {
  readonly wait: Wait;
  readonly heeds: boolean;
  readonly fails: boolean;
}

/** When something happens: at a time, or inside the how-manieth call of something. */
export type Moment = "time" | "handle" | "batch" | "pull" | "acknowledge" | "letter" | "onFailed";

export type Deed =
  | { readonly do: "pause" | "resume" | "wake" }
  | { readonly do: "push"; readonly messages: readonly MessagePlan[] }
  | { readonly do: "stop"; readonly timeout: number }
  | { readonly do: "revoke"; readonly odd: boolean; readonly timeout: number }
  | { readonly do: "limit"; readonly maxInFlight: number }
  | { readonly do: "rate"; readonly messages: number | null }
  | { readonly do: "concurrency"; readonly concurrency: number }
  | {
      readonly do: "batcher";
      readonly batcher: number;
      readonly size: number;
      readonly timeout: number;
      readonly concurrency: number;
    };

export type EventPlan = Deed & { readonly at: Moment; readonly nth: number };

/** Everything that is to happen in one run of a pipeline, as data. */
export interface Scenario {
  readonly seed: number;
  readonly messages: readonly MessagePlan[];
  readonly source: SourcePlan;
  readonly processor: {
    readonly concurrency: number;
    /** Ordered by `partitionBy` rather than by the keys of the source. */
    readonly partitions: boolean;
    /** The handler declares its signal. */
    readonly ownSignal: boolean;
    readonly timeout: number | undefined;
    readonly retry: RetryPlan | undefined;
    /** Decoding waits so long for every so manieth message. */
    readonly decoding: readonly Wait[] | undefined;
    /** What each `prepare` does, over and over. */
    readonly preparing: readonly { readonly wait: Wait; readonly throws: boolean }[] | undefined;
  };
  readonly batchers: readonly BatcherPlan[];
  readonly letters: readonly LetterPlan[] | undefined;
  readonly maxInFlight: number;
  readonly maxBytes: number;
  readonly rate: number | undefined;
  readonly events: readonly EventPlan[];
}

/** What a plan throws: `when` reads its verdict. */
export class PlannedError extends Error {
  readonly verdict: Verdict;

  constructor(verdict: Verdict) {
    super("as planned");
    this.verdict = verdict;
  }
}
