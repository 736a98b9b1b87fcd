import type { Look } from "./look.ts";
import type { Trouble } from "./trouble-tally.ts";

/** What is told while pipelines run, and in the end. */
export interface Reporter {
  started(pipeline: string): void;
  /** Called once a second, with all pipelines that were started. */
  tick(looks: readonly Look[], trouble: Trouble | undefined): void;
  /** Nothing has ended for so many milliseconds, though there is something in flight; `where` says at which stages. */
  standing(pipeline: string, milliseconds: number, where: string): void;
  /** It has been opening what it needs for so many milliseconds. */
  opening(pipeline: string, milliseconds: number): void;
  /** A signal asked for the end. */
  asked(signal: NodeJS.Signals): void;
  /** A drain began; the deadline is in milliseconds. */
  draining(pipeline: string, deadline: number, inFlight: number): void;
  /** Without a pipeline: the process itself is to blame. */
  died(pipeline: string | undefined, error: unknown): void;
  ended(accounts: readonly Account[]): void;
}

/** The last word about a pipeline. */
export interface Account {
  readonly look: Look;
  readonly troubles: readonly Trouble[];
}
