import { type Mutation, SCENARIOS } from "./mutation.ts";

export const ledger: readonly Mutation[] = [
  {
    name: "a message is acknowledged when it is routed, before its sink",
    file: "ledger",
    search: "    delivery.state = DeliveryState.routed;\n",
    replace: "    delivery.state = DeliveryState.routed;\n    this.#collect(delivery);\n",
    tests: ["topology/ledger", "pipeline/acknowledging"],
  },
  {
    name: "one branch of a fan-out ends its message",
    file: "ledger",
    search: "    if (--fanOut.open > 0) return;\n",
    replace: "    fanOut.open--;\n",
    tests: ["topology/ledger", "pipeline/fan-out"],
  },
  {
    name: "the worst outcome of a fan-out is ignored",
    file: "ledger",
    search: "if (end >= fanOut.worst)",
    replace: "if (end <= fanOut.worst)",
    tests: ["topology/ledger", "pipeline/fan-out"],
  },
  {
    name: "a branch is settled twice",
    file: "ledger",
    search: "    route.state = RouteState.settled;\n    const { routes } = delivery;\n",
    replace: "    const { routes } = delivery;\n",
    tests: ["topology/ledger", SCENARIOS],
  },
  {
    name: "a branch that was not handled succeeds",
    file: "ledger",
    search: " || route.state !== RouteState.running) {",
    replace: ") {",
    tests: ["topology/ledger", SCENARIOS],
  },
  {
    name: "a message that is not running succeeds",
    file: "ledger",
    search:
      "succeed(delivery: Delivery): boolean {\n    if (delivery.state !== DeliveryState.running) return this.#refuse();",
    replace: "succeed(delivery: Delivery): boolean {",
    tests: ["topology/ledger"],
  },
  {
    name: "a message is in two groups of acknowledgements",
    file: "account",
    search: "    this.#added = 0;\n",
    replace: "",
    tests: ["topology/ledger", "topology/acknowledger-stage"],
  },
  {
    name: "what failed is told as done",
    file: "account",
    search: "    if (delivery.state === DeliveryState.failed) {\n",
    replace: "    if (delivery.state === DeliveryState.abandoned) {\n",
    tests: ["topology/ledger", "pipeline/failing"],
  },
  {
    name: "what was released is acknowledged",
    file: "ledger",
    search: "(this.#ended[state] as number)++;\n    this.#forget(delivery);",
    replace: "(this.#ended[state] as number)++;\n    this.#collect(delivery);",
    tests: ["topology/ledger", SCENARIOS],
  },
  {
    name: "in flight is freed before the acknowledgement",
    file: "ledger",
    search: "(this.#ended[state] as number)++;\n    if (!delivery.acknowledged)",
    replace:
      "(this.#ended[state] as number)++;\n    this.inFlight--;\n    delivery.arrival.account.inFlight--;\n    if (!delivery.acknowledged)",
    tests: ["topology/ledger", "pipeline/backpressure"],
  },
  {
    name: "bytes are not counted",
    file: "ledger",
    search: "    this.bytes += bytes;\n",
    replace: "",
    tests: ["topology/ledger", "pipeline/budgets"],
  },
  {
    name: "an early acknowledgement that was refused is not made up for",
    file: "ledger",
    search: "    delivery.acknowledged = false;\n",
    replace: "",
    tests: ["topology/ledger", "topology/acknowledge-now"],
  },
  {
    name: "an early acknowledgement counts before the source has taken it",
    file: "ledger",
    search: "if (delivery.notes?.acknowledging !== true) this.#forget(delivery);",
    replace: "this.#forget(delivery);",
    tests: ["topology/ledger", "pipeline/found-by-scenarios"],
  },
  {
    name: "what was released while it was ready is run",
    file: "ledger",
    search: "    if (delivery.state !== DeliveryState.received) return this.#refuse();\n",
    replace: "",
    tests: ["topology/ledger"],
  },
];
