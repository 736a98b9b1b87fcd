import type { Incoming, PartitionKey } from "westend";
import type { HandlePlan, MessagePlan, RoutePlan } from "./plan.ts";

/** One branch of a delivery, or the delivery itself as the processor has it. */
export interface Unit {
  readonly delivery: Delivery;
  /** Undefined for what the processor has. */
  readonly route: RoutePlan | undefined;
  readonly batcher: string | undefined;
  /** Which one it is in the order of routing. */
  readonly order: number;
  /** `shown` to onFailed; then `written` as a letter, or failed for good. */
  state: "open" | "succeeded" | "dropped" | "shown" | "written";
  /** It ends only once its letter is written. */
  lettered: boolean;
  running: boolean;
  /** The last attempt that was begun. */
  attempt: number;
  /** It is handled, or will be handled again. */
  again: boolean;
  /** It failed during a drain, and goes back instead of being handled again. */
  returns: boolean;
  /** Its batch is being halved. */
  halved: boolean;
  /** Why that failed. */
  reason: unknown;
  failedAt: number;
  reasonOfDrop: unknown;
  /** The batch it was emitted in. */
  root: symbol | undefined;
}

/** One message given to the pipeline: its metadata, so that everybody finds it. */
export interface Delivery {
  readonly id: number;
  readonly plan: MessagePlan;
  readonly session: number;
  /** In the order in which the source gave them. */
  readonly order: number;
  readonly incoming: Incoming<number, Delivery>;
  /** Of what it is ordered by. */
  readonly key: PartitionKey | undefined;
  readonly pushed: boolean;
  state: "out" | "told" | "released" | "closed" | "revoked";
  outcome: string | undefined;
  /** How often in a row its acknowledgement was refused. */
  refusals: number;
  /** It is acknowledging itself before its end. */
  early: boolean;
  /** It did so, and the source has taken it. */
  earlyTaken: boolean;
  /** The processor's. */
  readonly unit: Unit;
  /** Of the attempt that was routed. */
  branches: Unit[];
  /** The source is taking it back. */
  revoked: boolean;
  /** The pipeline has begun to handle it. */
  begun: boolean;
  decoded: number;
  /** How often it has been handled. */
  handled: number;
  /** Its next handler may not start before. */
  ended: boolean;
}

let orders = 0;

export function makeDelivery(
  given: Pick<Delivery, "id" | "plan" | "session" | "pushed" | "key">,
): Delivery {
  const { id, plan } = given;
  const delivery: Delivery = {
    ...given,
    order: ++orders,
    incoming: undefined as never,
    state: "out",
    outcome: undefined,
    refusals: 0,
    early: false,
    earlyTaken: false,
    unit: undefined as never,
    branches: [],
    revoked: false,
    begun: false,
    decoded: 0,
    handled: 0,
    ended: false,
  };
  return Object.assign(delivery, {
    unit: makeUnit(delivery, undefined),
    incoming: {
      payload: id,
      metadata: delivery,
      key: plan.key === undefined ? undefined : `of source ${plan.key}`,
      size: plan.size,
      attempt: plan.attempt,
    },
  });
}

export function makeUnit(delivery: Delivery, route: RoutePlan | undefined): Unit {
  return {
    delivery,
    route,
    batcher: route === undefined ? undefined : `b${route.batcher}`,
    order: ++orders,
    state: "open",
    lettered: false,
    running: false,
    attempt: 0,
    again: false,
    returns: false,
    halved: false,
    reason: undefined,
    failedAt: 0,
    reasonOfDrop: undefined,
    root: undefined,
  };
}

/** The attempts of a message, as planned. */
export function handlingOf({ plan, handled }: Delivery): HandlePlan {
  return plan.attempts[handled] ?? plan.last;
}

/** What the source is to be told, by what became of its branches; undefined if it is too early to tell. */
export function dueOutcome({ unit, branches }: Delivery): string | undefined {
  const units = branches.length > 0 ? branches : [unit];
  if (units.some(isOpen)) return undefined;
  const worst = (["shown", "written", "succeeded", "dropped"] as const).find((state) =>
    units.some((one) => one.state === state),
  );
  if (worst === "shown") return "failed";
  return worst === "written" ? "deadLettered" : worst;
}

function isOpen({ state, lettered }: Unit): boolean {
  return state === "open" || (state === "shown" && lettered);
}

export function describeDelivery({ id, state, unit, branches }: Delivery): string {
  const units = [unit, ...branches].map((one) => `${one.batcher ?? "processor"} ${one.state}`);
  return `message ${id}, ${state}: ${units.join(", ")}`;
}
