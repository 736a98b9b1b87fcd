import {
  type FailureAction,
  HandlerTimeoutError,
  type RetryPolicy,
  constant,
  retry,
} from "westend";
import type { Delivery, Unit } from "./book.ts";
import { PlannedError, type RetryPlan, type Scenario } from "./plan.ts";

export function policyOf(
  plan: RetryPlan | undefined,
  { letters }: Scenario,
): RetryPolicy | undefined {
  if (plan === undefined) return undefined;
  const { attempts, backoff, perSecond } = plan;
  const nowhere = plan.whenExhausted === "deadLetter" && letters === undefined;
  return retry({
    attempts,
    backoff: constant(backoff),
    whenExhausted: nowhere ? "fail" : plan.whenExhausted,
    when: (error) => (error instanceof PlannedError ? error.verdict : true),
    budget: perSecond === undefined ? undefined : { ratio: 0, perSecond },
  });
}

/** Whether the source can take it back during a drain: it knows nothing of it yet, and has not begun to take it back. */
export function canReturn(
  { pushed, revoked, plan: { attempts, last } }: Delivery,
  { source }: Scenario,
): boolean {
  const early = [...attempts, last].some(({ acknowledgesNow }) => acknowledgesNow);
  return source.releases && !pushed && !revoked && !early;
}

/** What is to become of something whose attempt has just failed. */
export function actionOn({ reason, attempt, route }: Unit, scenario: Scenario): FailureAction {
  const { processor, batchers, letters } = scenario;
  const policy = route === undefined ? processor.retry : batchers[route.batcher]?.retry;
  const verdict = reason instanceof PlannedError ? reason.verdict : true;
  const possible = (action: FailureAction): FailureAction =>
    action === "deadLetter" && letters === undefined ? "fail" : action;
  const exhausted = possible(policy?.whenExhausted ?? "deadLetter");
  if (policy === undefined || verdict === false) return exhausted;
  if (verdict !== true && verdict !== "retry") return possible(verdict);
  const passing = reason instanceof PlannedError || reason instanceof HandlerTimeoutError;
  return passing && attempt < policy.attempts ? "retry" : exhausted;
}
