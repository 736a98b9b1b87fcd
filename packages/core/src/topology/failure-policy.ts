import type { Clock } from "../clock.ts";
import { DecodeError, HandlerResultError, UnknownBatcherError } from "../errors.ts";
import type { FailureAction, RetryPolicy } from "../failure.ts";
import type { Settings } from "./settings.ts";
import { waitAfter } from "./wait-after.ts";

/** Seconds' worth of retries that may come in a burst. */
const BURST = 10;
/** What `when` may say for good; `"retry"` means no more than true, which leaves it to the attempts. */
const FINAL: ReadonlySet<unknown> = new Set<FailureAction>([
  "drop",
  "deadLetter",
  "fail",
  "hold",
  "stop",
]);

/** What to do about a failure, and when. */
export interface Decision {
  readonly action: FailureAction;
  /** Milliseconds until the next attempt, if there is one. */
  readonly delay: number;
}

export interface FailurePolicyOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly settings: Pick<Settings, "deadLetter">;
  readonly policy: RetryPolicy | undefined;
}

/** Decides what becomes of a failure, and keeps the retry budget. */
export class FailurePolicy {
  readonly #options: FailurePolicyOptions;
  #tokens: number;
  #filledAt: number;

  constructor(options: FailurePolicyOptions) {
    this.#options = options;
    this.#tokens = (options.policy?.budget.perSecond ?? 0) * BURST;
    this.#filledAt = options.clock.now();
  }

  /** Messages came in: the budget grows with them. */
  deposit(count: number): void {
    const { policy } = this.#options;
    if (policy !== undefined) this.#tokens += count * policy.budget.ratio;
  }

  decide(error: unknown, attempt: number): Decision {
    const action = this.#act(error, attempt);
    return { action, delay: isRetry(action) ? this.#delay(attempt) : 0 };
  }

  #act(error: unknown, attempt: number): FailureAction {
    const { policy, settings } = this.#options;
    const verdict = verdictOf(policy, error);
    let action: FailureAction = policy?.whenExhausted ?? "deadLetter";
    if (FINAL.has(verdict)) action = verdict as FailureAction;
    else if (verdict !== false && attempt < (policy?.attempts ?? 0) && !isPermanent(error)) {
      action = "retry";
    }
    // Without a dead-letter sink the source decides.
    return action === "deadLetter" && settings.deadLetter === undefined ? "fail" : action;
  }

  #delay(attempt: number): number {
    // Without a policy nothing is tried again.
    const policy = this.#options.policy as RetryPolicy;
    const wait = waitAfter(attempt, policy.backoff, this.#options.random);
    return Math.max(wait, this.#wait(policy));
  }

  /** Takes a retry from the budget, on credit if it must be; milliseconds until the credit is paid back. */
  #wait({ budget }: RetryPolicy): number {
    const now = this.#options.clock.now();
    const earned = ((now - this.#filledAt) / 1000) * budget.perSecond;
    const most = Math.max(1, budget.perSecond * BURST);
    this.#tokens = Math.min(most, this.#tokens + earned) - 1;
    this.#filledAt = now;
    return Math.max(0, (-this.#tokens / budget.perSecond) * 1000);
  }
}

/** Whether another attempt follows. */
export function isRetry(action: FailureAction): boolean {
  return action === "retry" || action === "hold";
}

/** These come again however often one tries. */
function isPermanent(error: unknown): boolean {
  return (
    error instanceof DecodeError ||
    error instanceof UnknownBatcherError ||
    error instanceof HandlerResultError
  );
}

/** What `when` says; one that throws has nothing to say. */
function verdictOf(policy: RetryPolicy | undefined, error: unknown): unknown {
  try {
    return policy?.when?.(error);
  } catch {
    return undefined;
  }
}
