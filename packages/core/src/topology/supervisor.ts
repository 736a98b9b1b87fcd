import type { Clock } from "../clock.ts";
import type { Backoff } from "../failure.ts";
import { Alarm } from "./alarm.ts";
import { waitAfter } from "./wait-after.ts";

/** A part of the pipeline that can crash and be started again. */
export interface Child {
  readonly name: string;
  start(): void;
  /** Stops at once; what it held stays in the ledger and is neither lost nor acknowledged. */
  stop(reason: unknown): void;
}

/** How often a child may be restarted before its crash is passed on. */
export interface RestartBudget {
  readonly max: number;
  /** Milliseconds. */
  readonly within: number;
  readonly backoff: Backoff;
}

export interface SupervisorOptions {
  readonly name: string;
  /** With a child that crashes those restart that were started after it; else it alone. */
  readonly restForOne: boolean;
  readonly children: readonly Child[];
  readonly budget: RestartBudget;
  readonly clock: Clock;
  readonly random: () => number;
  /** The budget is spent. */
  escalate(error: unknown): void;
  restarting(child: string, error: unknown, milliseconds: number): void;
}

/** What crashes together: under one-for-one each child by itself, else all children. */
interface Group {
  readonly children: readonly Child[];
  crashes: readonly number[];
  attempt: number;
  readonly alarm: Alarm;
}

/** Restarts children that crash: with back-off, within a budget, and only what lies below them. */
export class Supervisor implements Child {
  readonly #options: SupervisorOptions;
  readonly #groups: readonly Group[];
  /** Children that are stopped and will be started again by a timer. */
  readonly #down = new Set<Child>();
  #stopped = true;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const groups = options.restForOne ? [options.children] : options.children.map((one) => [one]);
    this.#groups = groups.map((children) => {
      const alarm = new Alarm(options.clock, () => this.#restart(group));
      const group: Group = { children, crashes: [], attempt: 0, alarm };
      return group;
    });
  }

  get name(): string {
    return this.#options.name;
  }

  start(): void {
    this.#stopped = false;
    for (const child of this.#options.children) child.start();
  }

  stop(reason: unknown): void {
    this.#stopped = true;
    for (const { alarm } of this.#groups) alarm.clear();
    this.#down.clear();
    for (const child of this.#options.children.toReversed()) child.stop(reason);
  }

  /** A child crashed: it and what depends on it is stopped now and started again after a while. */
  crashed(child: Child, error: unknown): void {
    if (this.#stopped || this.#down.has(child)) return;
    const { budget, clock, random, escalate, restarting } = this.#options;
    const group = this.#groups.find(({ children }) => children.includes(child)) as Group;
    const now = clock.now();
    const crashes = group.crashes.filter((at) => at > now - budget.within);
    if (crashes.length === 0) group.attempt = 0;
    group.crashes = [...crashes, now];
    const affected = group.children.slice(group.children.indexOf(child));
    for (const one of affected.toReversed()) {
      if (!this.#down.has(one)) one.stop(error);
      this.#down.add(one);
    }
    if (group.crashes.length > budget.max) {
      escalate(error);
      return;
    }
    const delay = waitAfter(++group.attempt, budget.backoff, random);
    restarting(child.name, error, delay);
    // What was already down waits with it: parts come up together and in order.
    group.alarm.set(delay);
  }

  #restart(group: Group): void {
    const down = group.children.filter((child) => this.#down.delete(child));
    for (const child of down) {
      try {
        child.start();
      } catch (crash) {
        this.crashed(child, crash);
      }
    }
  }
}
