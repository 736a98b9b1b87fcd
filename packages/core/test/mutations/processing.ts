import { type Mutation, SCENARIOS } from "./mutation.ts";

export const processing: readonly Mutation[] = [
  {
    name: "the key is released before the retry",
    file: "processing",
    search: "        ledger.wait(delivery);\n        this.#delayed.add(delivery, delay);",
    replace:
      "        ledger.wait(delivery);\n        this.#scheduler.done(delivery);\n        this.#delayed.add(delivery, delay);",
    tests: ["pipeline/ordering", SCENARIOS],
  },
  {
    name: "the key is released before the dead letter is written",
    file: "processing",
    search: "        ledger.giveUp(delivery);\n",
    replace: "        ledger.giveUp(delivery);\n        this.#scheduler.done(delivery);\n",
    tests: ["pipeline/ordering", SCENARIOS],
  },
  {
    name: "a retry does not count as an attempt",
    file: "processing",
    search: "this.#rerun(delivery, attempt + 1)",
    replace: "this.#rerun(delivery, attempt)",
    tests: ["pipeline/retrying"],
  },
  {
    name: "the retry counter is off by one",
    file: "failure-policy",
    search: "attempt < (policy?.attempts ?? 0)",
    replace: "attempt <= (policy?.attempts ?? 0)",
    tests: ["topology/failure-policy", "pipeline/retrying"],
  },
  {
    name: "a retry does not wait for its back-off",
    file: "failure-policy",
    search: "return Math.max(wait, this.#wait(policy));",
    replace: "return this.#wait(policy);",
    tests: ["topology/failure-policy", "pipeline/retrying"],
  },
  {
    name: "the retry budget is ignored",
    file: "failure-policy",
    search: "return Math.max(0, (-this.#tokens / budget.perSecond) * 1000);",
    replace: "return 0;",
    tests: ["topology/failure-policy"],
  },
  {
    name: "a retry waits on when its message was released",
    file: "processing",
    search: "    for (const delivery of this.#delayed.remove(({ settled }) => settled)) {",
    replace: "    for (const delivery of this.#delayed.remove(() => false)) {",
    tests: ["pipeline/revoking", "pipeline/draining", SCENARIOS],
  },
  {
    name: "a late completion after a timeout is honoured",
    file: "processor-stage",
    search: "    if (this.delivery === undefined) return;\n    this.delivery = undefined;\n",
    replace: "    if (this.delivery === undefined) return;\n",
    tests: ["pipeline/timeouts", SCENARIOS],
  },
  {
    name: "a handler that hangs is never timed out",
    file: "processor-stage",
    search: "if (left < 1) expired.push(slot);",
    replace: "if (left < -1) expired.push(slot);",
    tests: ["pipeline/timeouts"],
  },
  {
    name: "a lowered concurrency is ignored",
    file: "processor-stage",
    search: "    this.#concurrency = concurrency;\n",
    replace: "    this.#concurrency = Math.max(this.#concurrency, concurrency);\n",
    tests: ["pipeline/updating", "pipeline/dispatching", SCENARIOS],
  },
  {
    name: "a dead letter is acknowledged before it is written",
    file: "failure-stage",
    search: 'if (failure.action === "deadLetter") this.#fresh.letters.push(failure);',
    replace:
      'if (failure.action === "deadLetter") {\n          this.#fresh.letters.push(failure);\n          done(failure, "deadLettered");\n        }',
    tests: ["pipeline/dead-letters"],
  },
  {
    name: "a dead letter that could not be written is dropped",
    file: "failure-stage",
    search: "    } else this.#refused.letters.push(...chunk);\n",
    replace: "    }\n",
    tests: ["pipeline/dead-letters"],
  },
];
