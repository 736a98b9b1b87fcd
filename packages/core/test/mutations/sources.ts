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
    search: "this.#held = index === held.length ? NOTHING : held.slice(index);",
    replace: "this.#held = NOTHING;",
    tests: ["topology/producer-stage", "pipeline/wrong-producers", "pipeline/pushing"],
  },
  {
    name: "what comes when there is no room for it is taken all the same",
    file: "session",
    search: "if (messages <= 0 || (size > bytes && account.inFlight > 0)) break;",
    replace: "if (size > bytes && account.inFlight > 0) break;",
    tests: ["pipeline/pushing", SCENARIOS],
  },
  {
    name: "maxBytes is ignored",
    file: "session",
    search: "if (messages <= 0 || (size > bytes && account.inFlight > 0)) break;",
    replace: "if (messages <= 0) break;",
    tests: ["pipeline/budgets", SCENARIOS],
  },
  {
    name: "what is reserved of a rate limit can be reserved again",
    file: "rate-limiter",
    search: "    this.#tokens -= count;\n",
    replace: "",
    tests: ["topology/rate-limiter"],
  },
];
