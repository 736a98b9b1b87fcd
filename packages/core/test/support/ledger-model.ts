import type { Outcome } from "westend";

/** What can be done to a ledger; `branch` is the branch of the message it is done to. */
export interface Step {
  readonly do: StepName;
  readonly message: number;
  readonly branch: number;
}

export type StepName =
  | (typeof MESSAGE_STEPS)[number]
  | (typeof BRANCH_STEPS)[number]
  | (typeof GROUP_STEPS)[number];

export const MESSAGE_STEPS = [
  "start",
  "wait",
  "again",
  "route to one",
  "route to two",
  "give up",
  "succeed",
  "drop",
  "fail",
  "dead-letter",
  "release",
  "abandon",
  "acknowledge early",
  "take early",
  "retract",
] as const;

export const BRANCH_STEPS = [
  "batch branch",
  "run branch",
  "delay branch",
  "give up branch",
  "succeed branch",
  "drop branch",
  "fail branch",
  "dead-letter branch",
] as const;

export const GROUP_STEPS = ["take", "forget"] as const;

type Live = "received" | "running" | "waiting" | "routed" | "failing";
type BranchState = "routed" | "batched" | "running" | "waiting" | "failing" | Outcome;

export interface ModelMessage {
  readonly size: number;
  state: Live | Outcome | "released" | "abandoned";
  branches: BranchState[];
  /** Told before the end: whether that is under way, or has been taken. */
  early: "not" | "asked" | "taken";
  /** What the source has heard of it: whether it has ended before that was taken, is listed, under way, or done with. */
  account: "open" | "early" | "listed" | "taken" | "gone";
}

const LIVE: readonly string[] = ["received", "running", "waiting", "routed", "failing"];
const UNHANDLED: readonly string[] = ["received", "running", "waiting"];
const BRANCH_LIVE: readonly string[] = ["routed", "batched", "running", "waiting"];

/** Where each step may start, and where it leads. */
const FROM: Readonly<Record<string, readonly [from: readonly string[], to: string]>> = {
  start: [["received"], "running"],
  wait: [["received", "running"], "waiting"],
  again: [["running", "waiting"], "received"],
  "route to one": [["running"], "routed"],
  "route to two": [["running"], "routed"],
  "give up": [UNHANDLED, "failing"],
  succeed: [["running"], "succeeded"],
  drop: [UNHANDLED, "dropped"],
  fail: [["failing"], "failed"],
  "dead-letter": [["failing"], "deadLettered"],
  release: [LIVE, "released"],
  abandon: [LIVE, "abandoned"],
  "batch branch": [BRANCH_LIVE, "batched"],
  "run branch": [BRANCH_LIVE, "running"],
  "delay branch": [BRANCH_LIVE, "waiting"],
  "give up branch": [BRANCH_LIVE, "failing"],
  "succeed branch": [["running"], "succeeded"],
  "drop branch": [BRANCH_LIVE, "dropped"],
  "fail branch": [["failing"], "failed"],
  "dead-letter branch": [["failing"], "deadLettered"],
};

const WORST_FIRST = ["failed", "deadLettered", "succeeded", "dropped"] as const;

/** What a ledger is to do, said as plainly as possible: no counters, no links, everything derived from where messages stand. */
export class LedgerModel {
  messages: ModelMessage[];
  /** Settled and not taken, in the order in which they settled. */
  listed: number[] = [];
  /** Taken and not forgotten, the oldest first. */
  groups: number[][] = [];

  constructor(sizes: readonly number[]) {
    this.messages = sizes.map((size) => ({
      size,
      state: "received",
      branches: [],
      early: "not",
      account: "open",
    }));
  }

  clone(): LedgerModel {
    const copy = new LedgerModel([]);
    copy.messages = this.messages.map((one) => ({ ...one, branches: [...one.branches] }));
    copy.listed = [...this.listed];
    copy.groups = this.groups.map((group) => [...group]);
    return copy;
  }

  /** Two models with the same print have the same future. */
  get print(): string {
    const messages = this.messages.map(({ state, branches, early, account }) =>
      [state, ...branches, early, account].join(),
    );
    return [...messages, this.listed.join(), this.groups.join(";")].join("/");
  }

  /** Does one step; false, and nothing done, if it is illegal. */
  do(step: Step): boolean {
    if (step.do === "take") {
      if (this.listed.length === 0) return false;
      this.groups.push(this.listed);
      for (const index of this.listed) this.#at(index).account = "taken";
      this.listed = [];
      return true;
    }
    if (step.do === "forget") {
      const group = this.groups.shift();
      for (const index of group ?? []) this.#at(index).account = "gone";
      return group !== undefined;
    }
    const message = this.#at(step.message);
    if (step.do === "acknowledge early") {
      if (message.early !== "not" || !LIVE.includes(message.state)) return false;
      message.early = "asked";
      return true;
    }
    if (step.do === "take early") {
      if (message.early !== "asked") return false;
      message.early = "taken";
      if (message.account === "early") message.account = "gone";
      return true;
    }
    if (step.do === "retract") {
      if (message.early !== "asked") return false;
      message.early = "not";
      if (isOutcome(message.state)) this.#list(step.message);
      return true;
    }
    const [from, to] = FROM[step.do] as (typeof FROM)[string];
    if (step.do.endsWith("branch")) {
      const state = message.branches[step.branch];
      if (message.state !== "routed" || state === undefined || !from.includes(state)) return false;
      message.branches[step.branch] = to as BranchState;
      if (message.branches.every(isOutcome)) {
        const worst = WORST_FIRST.find((outcome) => message.branches.includes(outcome));
        this.#end(step.message, worst as Outcome);
      }
      return true;
    }
    if (!from.includes(message.state)) return false;
    if (step.do === "route to one") message.branches = ["routed"];
    if (step.do === "route to two") message.branches = ["routed", "routed"];
    if (LIVE.includes(to)) message.state = to as Live;
    else this.#end(step.message, to as Outcome);
    return true;
  }

  #end(index: number, state: Outcome | "released" | "abandoned"): void {
    const message = this.#at(index);
    message.state = state;
    if (!isOutcome(state) || message.early === "taken") message.account = "gone";
    else if (message.early === "asked") message.account = "early";
    else this.#list(index);
  }

  #list(index: number): void {
    this.#at(index).account = "listed";
    this.listed.push(index);
  }

  #at(index: number): ModelMessage {
    return this.messages[index] as ModelMessage;
  }
}

export function isOutcome(state: string): state is Outcome {
  return (WORST_FIRST as readonly string[]).includes(state);
}
