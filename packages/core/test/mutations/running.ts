import { type Mutation, SCENARIOS } from "./mutation.ts";

export const running: readonly Mutation[] = [
  {
    name: "open batches that use the budget up are not flushed",
    file: "topology",
    search: "    } else if (!this.#batching.active && this.#full) this.#batching.flushOldest();\n",
    replace: "    }\n",
    tests: ["pipeline/budgets"],
  },
  {
    name: "a source is restarted without back-off",
    file: "supervisor",
    search: "const delay = waitAfter(++group.attempt, budget.backoff, random);",
    replace: "const delay = 0 * ++group.attempt * random();",
    tests: ["topology/supervisor"],
  },
  {
    name: "a stage is restarted once too often",
    file: "supervisor",
    search: "if (group.crashes.length > budget.max)",
    replace: "if (group.crashes.length > budget.max + 1)",
    tests: ["topology/supervisor"],
  },
  {
    name: "stopping does not wait for acknowledgements",
    file: "topology",
    search: "      finished: () => this.#ledger.inFlight + this.#sources.held === 0,\n",
    replace: "      finished: () => this.#ledger.unsettled + this.#sources.held === 0,\n",
    tests: ["pipeline/draining", "pipeline/stopping", SCENARIOS],
  },
  {
    name: "stopping ignores its deadline",
    file: "terminator",
    search: "    await this.#within(left(), this.#until(finished));\n",
    replace: "    await this.#until(finished);\n",
    tests: ["topology/terminator"],
  },
  {
    name: "the timer of the deadline is left behind",
    file: "terminator",
    search: "    await Promise.race([work, late]);\n    ",
    replace: "    await Promise.race([work, late]);\n    if (milliseconds > 0) return;\n    ",
    tests: ["topology/terminator", SCENARIOS],
  },
  {
    name: "what the source took back goes on",
    file: "hand-back",
    search:
      "      if (isUnstarted(delivery) || isStuck(delivery)) ledger.release(delivery);\n      else underWay.push(delivery);\n",
    replace: "      if (!isUnstarted(delivery)) underWay.push(delivery);\n",
    tests: ["pipeline/revoking", SCENARIOS],
  },
  {
    name: "the source does not wait for the other batch of what it took back",
    file: "hand-back",
    search: " && !branches.some(isUnderWay);",
    replace: ";",
    tests: ["pipeline/revoking"],
  },
  {
    name: "what the source took back is told of after its time",
    file: "hand-back",
    search: "      delivery.note({ fenced: true });\n",
    replace: "",
    tests: ["pipeline/revoking", SCENARIOS],
  },
  {
    name: "what was acknowledged early goes back to its source",
    file: "hand-back",
    search: "!delivery.acknowledged && isUnstarted(delivery)",
    replace: "isUnstarted(delivery)",
    tests: ["pipeline/draining", "pipeline/acknowledging", SCENARIOS],
  },
];
