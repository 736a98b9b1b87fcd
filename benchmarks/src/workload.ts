import type { Bar, Figure, Row } from "./table.ts";

/** How much time to spend. */
export interface Settings {
  /** For developing: few and short runs, whose figures only show the order of magnitude. */
  readonly quick: boolean;
  /** Takes the CPU time of the thread where nothing is waited for: for busy machines. */
  readonly cpu: boolean;
  /** Runs in real time what is otherwise run in virtual time. */
  readonly real: boolean;
}

/** One or several lines of the table, measured in a process of their own. */
export interface Workload {
  /** For `--only`. */
  readonly name: string;
  /** What is to have a process of its own each; all of it has one if there are none. */
  readonly parts?: readonly string[];
  run(settings: Settings, part?: string): Promise<Report>;
  /** The lines of its parts as they are to be shown; one after the other without it. */
  arrange?(rows: ReadonlyMap<string, readonly Row[]>): readonly Row[];
}

export interface Report {
  readonly rows: readonly Row[];
  /** Everything measured, for the file of results. */
  readonly raw?: unknown;
  /** SVG, by name. */
  readonly plots?: Readonly<Record<string, string>> | undefined;
}

export type { Bar, Figure, Row };
