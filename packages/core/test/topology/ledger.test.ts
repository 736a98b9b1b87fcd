import { describe, expect, it } from "vitest";
import type { Outcome } from "westend";
import { Message, type RoutedMessage } from "../../src/message.ts";
import type { Delivery } from "../../src/topology/delivery.ts";
import * as DeliveryState from "../../src/topology/delivery-state.ts";
import { Ledger } from "../../src/topology/ledger.ts";
import * as RouteState from "../../src/topology/route-state.ts";
import { account, received } from "../support/routed.ts";

const DELIVERY = { ...DeliveryState };
const ROUTE = { ...RouteState };

type State = keyof typeof DELIVERY;

const STATES = Object.keys(DELIVERY) as State[];
const routeOf = (delivery: Delivery): RoutedMessage =>
  new Message(undefined, 1, delivery).to("b") as unknown as RoutedMessage;

/** As its batcher says it. */
function endRoute(
  ledger: Ledger,
  route: RoutedMessage,
  outcome: Outcome,
  reason: unknown,
): boolean {
  return outcome === "succeeded"
    ? ledger.succeedRoute(route)
    : ledger.settleRoute(route, outcome, reason);
}

/** The shortest way there. */
const WAYS: Readonly<Record<State, (ledger: Ledger, delivery: Delivery) => void>> = {
  received() {},
  running: (ledger, delivery) => void ledger.start(delivery),
  waiting: (ledger, delivery) => void ledger.wait(delivery),
  routed(ledger, delivery) {
    ledger.start(delivery);
    ledger.route(delivery, routeOf(delivery));
  },
  failing: (ledger, delivery) => void ledger.giveUp(delivery),
  succeeded(ledger, delivery) {
    ledger.start(delivery);
    ledger.succeed(delivery);
  },
  failed(ledger, delivery) {
    ledger.giveUp(delivery);
    ledger.fail(delivery, "failed", "reason");
  },
  deadLettered(ledger, delivery) {
    ledger.giveUp(delivery);
    ledger.fail(delivery, "deadLettered", "reason");
  },
  dropped: (ledger, delivery) => void ledger.drop(delivery, "reason"),
  released: (ledger, delivery) => void ledger.release(delivery),
  abandoned: (ledger, delivery) => void ledger.abandon(delivery),
};

const LIVE: readonly State[] = ["received", "running", "waiting", "routed", "failing"];

const STEPS: readonly {
  readonly step: string;
  readonly from: readonly State[];
  readonly to: State;
  do(ledger: Ledger, delivery: Delivery): boolean;
}[] = [
  { step: "start", from: ["received"], to: "running", do: (ledger, one) => ledger.start(one) },
  {
    step: "wait",
    from: ["received", "running"],
    to: "waiting",
    do: (ledger, one) => ledger.wait(one),
  },
  {
    step: "again",
    from: ["running", "waiting"],
    to: "received",
    do: (ledger, one) => ledger.again(one),
  },
  {
    step: "route",
    from: ["running"],
    to: "routed",
    do: (ledger, one) => ledger.route(one, routeOf(one)),
  },
  {
    step: "giveUp",
    from: ["received", "running", "waiting"],
    to: "failing",
    do: (ledger, one) => ledger.giveUp(one),
  },
  { step: "succeed", from: ["running"], to: "succeeded", do: (ledger, one) => ledger.succeed(one) },
  {
    step: "drop",
    from: ["received", "running", "waiting"],
    to: "dropped",
    do: (ledger, one) => ledger.drop(one, "why"),
  },
  {
    step: "fail",
    from: ["failing"],
    to: "failed",
    do: (ledger, one) => ledger.fail(one, "failed", "why"),
  },
  {
    step: "dead-letter",
    from: ["failing"],
    to: "deadLettered",
    do: (ledger, one) => ledger.fail(one, "deadLettered", "why"),
  },
  { step: "release", from: LIVE, to: "released", do: (ledger, one) => ledger.release(one) },
  { step: "abandon", from: LIVE, to: "abandoned", do: (ledger, one) => ledger.abandon(one) },
];

describe("Ledger", () => {
  const table = STEPS.flatMap((step) =>
    STATES.map((state) => ({
      ...step,
      state,
      legal: step.from.includes(state),
      verb: step.from.includes(state) ? "takes" : "refuses",
    })),
  );

  it.each(table)("$verb $step from $state", ({ do: step, state, legal, to }) => {
    const ledger = new Ledger();
    const delivery = received(undefined, { ledger, size: 7 });
    WAYS[state](ledger, delivery);
    const before = { ...ledger.report(), bytes: ledger.bytes };
    expect(step(ledger, delivery)).toBe(legal);
    expect(delivery.state).toBe(DELIVERY[legal ? to : state]);
    expect(ledger.violations).toBe(legal ? 0 : 1);
    expect(legal || { ...ledger.report(), bytes: ledger.bytes }).toEqual(legal || before);
  });

  const branches = Object.entries(RouteState).filter(([name]) => name !== "settled");
  const targets = ["batched", "running", "waiting", "failing"] as const;

  it.each(branches.flatMap(([from]) => targets.map((to) => [from, to] as const)))(
    "moves a branch from %s to %s unless its failure is being dealt with",
    (from, to) => {
      const [ledger, route] = branchAt(from as keyof typeof ROUTE);
      expect(ledger.move(route, ROUTE[to])).toBe(from !== "failing");
      expect(ledger.violations).toBe(from === "failing" ? 1 : 0);
    },
  );

  it.each(
    branches.flatMap(([from]) =>
      (["succeeded", "dropped", "failed", "deadLettered"] as const).map(
        (outcome) => [from, outcome] as const,
      ),
    ),
  )("lets a branch that is %s end as %s only if it can have", (from, outcome) => {
    const [ledger, route] = branchAt(from as keyof typeof ROUTE);
    const failure = outcome === "failed" || outcome === "deadLettered";
    const legal = outcome === "succeeded" ? from === "running" : failure === (from === "failing");
    expect(endRoute(ledger, route, outcome, "why")).toBe(legal);
    expect((route.origin as Delivery).settled).toBe(legal);
  });

  it("refuses whatever comes for a branch of a message that is over", () => {
    const [ledger, route] = branchAt("running");
    ledger.release(route.origin as Delivery);
    expect(ledger.move(route, RouteState.waiting)).toBe(false);
    expect(ledger.succeedRoute(route)).toBe(false);
    expect(ledger.report()).toMatchObject({ succeeded: 0, released: 1 });
  });

  it("refuses a second end of a branch", () => {
    const ledger = new Ledger();
    const [delivery, routes] = fannedOut(ledger);
    ledger.move(routes[0], RouteState.running);
    expect(ledger.succeedRoute(routes[0])).toBe(true);
    expect(ledger.succeedRoute(routes[0])).toBe(false);
    expect(delivery.settled).toBe(false);
  });

  const outcomes = ["dropped", "succeeded", "deadLettered", "failed"] as const;

  it.each(outcomes.flatMap((one) => outcomes.map((other) => [one, other] as const)))(
    "makes the worst of %s and %s the outcome of the message, with its reason",
    (one, other) => {
      const ledger = new Ledger();
      const [delivery, routes] = fannedOut(ledger);
      for (const [index, outcome] of [one, other].entries()) {
        const route = routes[index] as RoutedMessage;
        const failure = outcome === "failed" || outcome === "deadLettered";
        ledger.move(route, failure ? RouteState.failing : RouteState.running);
        expect(delivery.settled).toBe(false);
        endRoute(ledger, route, outcome, `${index}: ${outcome}`);
      }
      const worst = Math.max(outcomes.indexOf(one), outcomes.indexOf(other));
      expect(delivery.outcome).toBe(outcomes[worst]);
      const reason = outcomes[worst] === "succeeded" ? "undefined" : outcomes[worst];
      expect(String(delivery.reason)).toContain(reason);
      expect(ledger.violations).toBe(0);
    },
  );

  it("looks at a branch a fixed number of times, however many of a fan-out are replaced", () => {
    const ledger = new Ledger();
    const delivery = received(1, { ledger });
    ledger.start(delivery);
    const branches = Array.from({ length: 1000 }, () => routeOf(delivery));
    let looks = 0;
    const watched = new Proxy([...branches], {
      get(target, name, self) {
        looks++;
        return Reflect.get(target, name, self) as unknown;
      },
    });
    ledger.route(delivery, watched);
    const copies = branches.map(() => routeOf(delivery));
    for (const [index, copy] of copies.entries()) {
      ledger.replaceRoute(branches[index] as RoutedMessage, copy);
    }
    expect(delivery.branches === watched, "no copy is made of them").toBe(true);
    expect(looks).toBeLessThan(5000);
    expect([...watched]).toEqual(copies);
  });

  it("keeps the books of two sessions apart", () => {
    const ledger = new Ledger();
    const [one, other] = [account("one"), account("other")];
    const first = received("first", { ledger, to: one, size: 2 });
    received("second", { ledger, to: other, size: 3 });
    ledger.drop(first, "why");
    expect([one.unacknowledged, other.unacknowledged]).toEqual([1, 0]);
    const { succeeded } = ledger.take(one);
    expect(ledger.take(other)).toEqual({ succeeded: [], failed: [] });
    ledger.forget(succeeded);
    expect([one.inFlight, one.bytes, other.inFlight, other.bytes]).toEqual([0, 0, 1, 3]);
    expect([ledger.inFlight, ledger.bytes]).toEqual([1, 3]);
  });
});

function branchAt(state: keyof typeof ROUTE): [Ledger, RoutedMessage] {
  const ledger = new Ledger();
  const delivery = received(undefined, { ledger });
  const route = routeOf(delivery);
  ledger.start(delivery);
  ledger.route(delivery, route);
  if (state !== "routed") ledger.move(route, ROUTE[state]);
  return [ledger, route];
}

function fannedOut(ledger: Ledger): [Delivery, [RoutedMessage, RoutedMessage]] {
  const delivery = received(undefined, { ledger });
  const routes: [RoutedMessage, RoutedMessage] = [routeOf(delivery), routeOf(delivery)];
  ledger.start(delivery);
  ledger.route(delivery, routes);
  return [delivery, routes];
}
