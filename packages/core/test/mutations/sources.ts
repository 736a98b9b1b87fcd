import { type Mutation, SCENARIOS } from "./mutation.ts";

export const sources: readonly Mutation[] = [
  {
    name: "the source is acknowledged again after it has refused for good",
    file: "acknowledger-stage",
    search: "if (number < ATTEMPTS && !this.#killed && !final)",
    replace: "if (!this.#killed)",
    tests: ["topology/acknowledger-stage"],
  },
  {
    name: "a refused acknowledgement is forgotten",
    file: "acknowledger-stage",
    search: "if (number < ATTEMPTS && !this.#killed && !final)",
    replace: "if (number > ATTEMPTS && !this.#killed)",
    tests: ["topology/acknowledger-stage"],
  },
  {
    name: "one refused message holds those that were taken with it",
    file: "acknowledger-stage",
    search: "    this.#forget(taken);\n",
    replace: "",
    tests: ["topology/acknowledger-stage"],
  },
  {
    name: "what comes when there is no room for it is dropped",
    file: "session",
    search: "this.#held = seen === held.length ? NOTHING : held.slice(seen);",
    replace: "this.#held = NOTHING;",
    tests: ["topology/producer-stage", "pipeline/wrong-producers", "pipeline/pushing"],
  },
  {
    name: "what comes when there is no room for it is taken all the same",
    file: "session",
    search: "Math.max(0, Math.min(held.length, messages))",
    replace: "held.length",
    tests: ["pipeline/pushing", SCENARIOS],
  },
  {
    name: "maxBytes is ignored",
    file: "account",
    search: " || (sum + size > bytes && !(alone && count === 0))) break;",
    replace: ") break;",
    tests: ["pipeline/budgets", SCENARIOS],
  },
  {
    name: "what is gone of what came at once ends the run",
    file: "scheduler",
    search: "      if (item !== undefined) return item;\n",
    replace: "      return item;\n",
    tests: ["topology/scheduler", SCENARIOS],
  },
  {
    name: "the signal of a batch that ran out of time is used again",
    file: "batch-processor-stage",
    search: " && !controller.signal.aborted",
    replace: "",
    tests: ["topology/batch-processor-stage"],
  },
  {
    name: "what follows a message that stops the pipeline starts in its other batcher",
    file: "batching",
    search: "if (batcher !== this.name) this.#options.halt(batcher);",
    replace: "void batcher;",
    tests: ["pipeline/found-by-scenarios"],
  },
  {
    name: "what is reserved of a rate limit can be reserved again",
    file: "rate-limiter",
    search: "    this.#tokens -= count;\n",
    replace: "",
    tests: ["topology/rate-limiter"],
  },
];
