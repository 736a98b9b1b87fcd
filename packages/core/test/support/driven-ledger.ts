import { Message, type RoutedMessage } from "../../src/message.ts";
import { Account, type SettledGroup } from "../../src/topology/account.ts";
import type { Delivery } from "../../src/topology/delivery.ts";
import * as DeliveryState from "../../src/topology/delivery-state.ts";
import { Ledger } from "../../src/topology/ledger.ts";
import * as RouteState from "../../src/topology/route-state.ts";
import { type BRANCH_STEPS, isOutcome, type LedgerModel, type Step } from "./ledger-model.ts";

const STATES = { ...DeliveryState };

type BranchStep = (typeof BRANCH_STEPS)[number];

const ON_MESSAGE = {
  start: (ledger: Ledger, delivery: Delivery) => ledger.start(delivery),
  wait: (ledger: Ledger, delivery: Delivery) => ledger.wait(delivery),
  again: (ledger: Ledger, delivery: Delivery) => ledger.again(delivery),
  "give up": (ledger: Ledger, delivery: Delivery) => ledger.giveUp(delivery),
  succeed: (ledger: Ledger, delivery: Delivery) => ledger.succeed(delivery),
  drop: (ledger: Ledger, delivery: Delivery) => ledger.drop(delivery, "dropped"),
  fail: (ledger: Ledger, delivery: Delivery) => ledger.fail(delivery, "failed", "failed"),
  "dead-letter": (ledger: Ledger, delivery: Delivery) =>
    ledger.fail(delivery, "deadLettered", "dead"),
  release: (ledger: Ledger, delivery: Delivery) => ledger.release(delivery),
  abandon: (ledger: Ledger, delivery: Delivery) => ledger.abandon(delivery),
};

const ON_BRANCH: Record<BranchStep, (ledger: Ledger, route: RoutedMessage) => boolean> = {
  "batch branch": (ledger, route) => ledger.move(route, RouteState.batched),
  "run branch": (ledger, route) => ledger.move(route, RouteState.running),
  "delay branch": (ledger, route) => ledger.move(route, RouteState.waiting),
  "give up branch": (ledger, route) => ledger.move(route, RouteState.failing),
  "succeed branch": (ledger, route) => ledger.succeedRoute(route),
  "drop branch": (ledger, route) => ledger.settleRoute(route, "dropped", "dropped"),
  "fail branch": (ledger, route) => ledger.settleRoute(route, "failed", "failed"),
  "dead-letter branch": (ledger, route) => ledger.settleRoute(route, "deadLettered", "dead"),
};

/** A real ledger, driven by the same steps as its model. */
export class DrivenLedger {
  readonly #ledger = new Ledger();
  readonly #account = new Account("source", () => Promise.resolve());
  readonly #deliveries: Delivery[];
  readonly #routes: RoutedMessage[][];
  readonly #groups: SettledGroup[] = [];
  /** Every message that was ever in a group, once for each time. */
  readonly #grouped: Delivery[] = [];

  constructor(sizes: readonly number[]) {
    const arrival = this.#ledger.arrive(this.#account, 0, 0, sizes.length);
    const incoming = sizes.map((size) => ({ payload: undefined, metadata: {}, size }));
    arrival.take(
      incoming,
      Infinity,
      ({ size }) => size ?? 0,
      () => {},
    );
    this.#ledger.receive(arrival);
    this.#deliveries = [...arrival.unsettled()];
    this.#routes = this.#deliveries.map((delivery) =>
      [0, 1].map(() => new Message(undefined, 1, delivery).to("b") as unknown as RoutedMessage),
    );
  }

  get violations(): number {
    return this.#ledger.violations;
  }

  /** What the ledger says of the step. Steps on groups are only to be done when there is a group. */
  do({ do: name, message, branch }: Step): boolean {
    const delivery = this.#deliveries[message] as Delivery;
    const routes = this.#routes[message] as RoutedMessage[];
    const route = routes[branch] as RoutedMessage;
    if (name === "take") this.#take();
    else if (name === "forget") this.#forget();
    else if (name === "acknowledge early") this.#ledger.acknowledgeEarly(delivery);
    else if (name === "take early") this.#ledger.acknowledgedEarly(delivery);
    else if (name === "retract") this.#ledger.retract(delivery);
    else if (name === "route to one")
      return this.#ledger.route(delivery, routes[0] as RoutedMessage);
    else if (name === "route to two") return this.#ledger.route(delivery, routes);
    else if (name in ON_BRANCH) return ON_BRANCH[name as BranchStep](this.#ledger, route);
    else return ON_MESSAGE[name as keyof typeof ON_MESSAGE](this.#ledger, delivery);
    return true;
  }

  #take(): void {
    const group = this.#ledger.take(this.#account);
    this.#groups.push(group);
    this.#grouped.push(...group.succeeded, ...group.failed);
  }

  #forget(): void {
    const { succeeded = [], failed = [] } = this.#groups.shift() ?? {};
    this.#ledger.forget(succeeded);
    this.#ledger.forget(failed);
  }

  /** Everything that can be seen of the ledger is as the model says. */
  expectLike(model: LedgerModel): void {
    const { messages, listed } = model;
    const held = messages.filter(({ account }) => account !== "gone");
    const bytes = held.reduce((sum, { size }) => sum + size, 0);
    const live = messages.filter(({ account }) => account === "open");
    const of = (state: string): number => messages.filter((one) => one.state === state).length;
    const indexes = (list: readonly Delivery[]): number[] =>
      list.map((delivery) => this.#deliveries.indexOf(delivery));
    demandEqual(
      {
        states: this.#deliveries.map(({ state }) => state),
        inFlight: [this.#ledger.inFlight, this.#account.inFlight],
        bytes: [this.#ledger.bytes, this.#account.bytes],
        unsettled: [this.#ledger.unsettled, indexes([...this.#account.unsettled()])],
        unacknowledged: [this.#ledger.unacknowledged, this.#account.unacknowledged],
        succeeded: indexes(this.#account.succeeded),
        failed: indexes(this.#account.failed),
        report: this.#ledger.report(),
      },
      {
        states: messages.map(({ state }) => STATES[state]),
        inFlight: [held.length, held.length],
        bytes: [bytes, bytes],
        unsettled: [
          live.length,
          messages.flatMap((one, index) => (live.includes(one) ? [index] : [])),
        ],
        unacknowledged: [listed.length, listed.length],
        succeeded: listed.filter((index) => messages[index]?.state !== "failed"),
        failed: listed.filter((index) => messages[index]?.state === "failed"),
        report: {
          received: messages.length,
          succeeded: of("succeeded"),
          failed: of("failed"),
          deadLettered: of("deadLettered"),
          dropped: of("dropped"),
          released: of("released"),
          abandoned: of("abandoned"),
        },
      },
    );
    this.#expectPromises(model);
  }

  /** What the runtime promises, asked of the ledger itself and not of the model. */
  #expectPromises({ messages }: LedgerModel): void {
    demand(new Set(this.#grouped).size === this.#grouped.length, "in one group at most");
    for (const [index, { state, branches, account }] of messages.entries()) {
      const delivery = this.#deliveries[index] as Delivery;
      demand(delivery.settled === (account !== "open"), "terminal or owned");
      if (!this.#grouped.includes(delivery)) continue;
      demand(isOutcome(state) && branches.every(isOutcome), "acknowledged only when all has ended");
      const asDone = this.#groups.some(({ succeeded }) => succeeded.includes(delivery));
      demand(!asDone || (state !== "failed" && !branches.includes("failed")), "failed is not done");
    }
  }
}

function demand(holds: boolean, promise: string): void {
  if (!holds) throw new Error(`The promise is broken: ${promise}.`);
}

/** As `expect(…).toEqual(…)`, which is too slow to be asked a million times. */
function demandEqual(actual: unknown, expected: unknown): void {
  const [is, shouldBe] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== shouldBe) throw new Error(`The ledger is\n${is}, the model\n${shouldBe}.`);
}
