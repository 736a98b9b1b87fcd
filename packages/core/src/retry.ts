import type { Backoff, RetryBudget, RetryOptions, RetryPolicy } from "./failure.ts";
import {
  advised,
  type Checker,
  check,
  func,
  number,
  object,
  oneOf,
  optional,
  satisfying,
  shaped,
} from "./options.ts";

/** What a back-off has to be. */
export const backoff: Checker = advised(
  "Make one with exponential() or constant().",
  shaped({ delay: func }, "a back-off"),
);

/** What `retry` takes, where `filled` lets out what has a default; a policy has all of it. */
export function retryShape(filled: (checker: Checker) => Checker): Checker {
  return object<RetryOptions>({
    attempts: satisfying(
      "an integer ≥ 1, or Infinity",
      (value) => value === Infinity || (Number.isSafeInteger(value) && (value as number) >= 1),
    ),
    backoff: filled(backoff),
    when: optional(func),
    whenExhausted: optional(oneOf("deadLetter", "fail", "hold", "stop")),
    budget: filled(
      object<RetryBudget>({
        ratio: filled(number({ min: 0 })),
        perSecond: filled(number({ above: 0 })),
      }),
    ),
  });
}

export interface ExponentialOptions {
  /** Milliseconds after the first failure; at least 1. */
  readonly initial: number;
  /** The longest wait in milliseconds. */
  readonly max: number;
  /**
   * By how much each wait is longer than the one before.
   * @defaultValue 2
   */
  readonly factor?: number | undefined;
  /**
   * `full` draws each wait evenly from zero to its length, so that what failed together does not come back together.
   * @defaultValue `"full"`
   */
  readonly jitter?: "full" | "none" | undefined;
}

/**
 * Waits that grow with each attempt.
 * @throws ConfigurationError if an option is out of range
 * @see https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/ for why the jitter is full
 */
export function exponential(options: ExponentialOptions): Backoff {
  // Made here: at the top, every bundle would carry it.
  const shape = object({
    initial: number({ above: 0 }),
    max: number({ above: 0 }),
    factor: optional(number({ min: 1 })),
    jitter: optional(oneOf("full", "none")),
  });
  check("exponential(…)", options, shape);
  const { initial, max, factor = 2, jitter = "full" } = options;
  return {
    delay(attempt, random) {
      const delay = Math.min(max, initial * factor ** (attempt - 1));
      return jitter === "full" ? delay * random() : delay;
    },
  };
}

/**
 * The same wait after every attempt, in milliseconds.
 * @throws ConfigurationError if it is negative or not finite
 */
export function constant(milliseconds: number): Backoff {
  check("constant(…)", { milliseconds }, object({ milliseconds: number({ min: 0 }) }));
  return { delay: () => milliseconds };
}

/**
 * A failure policy: how often and when a message is tried again, and what becomes of it when that does not help.
 * @throws ConfigurationError if an option is out of range
 */
export function retry(options: RetryOptions): RetryPolicy {
  check("retry(…)", options, retryShape(optional));
  const { attempts, when, whenExhausted, budget } = options;
  return {
    attempts,
    backoff: options.backoff ?? exponential({ initial: 100, max: 30_000 }),
    when,
    whenExhausted,
    budget: { ratio: budget?.ratio ?? 0.1, perSecond: budget?.perSecond ?? 10 },
  };
}
