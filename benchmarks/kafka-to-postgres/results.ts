import type { Machine } from "../src/machine.ts";
import type { FaultResult } from "./faults.ts";
import type { LoadResult } from "./offered-load.ts";
import type { Throughput } from "./throughput.ts";

/** By contestant, in order of the rounds. */
export type Rounds<Result> = Readonly<Record<string, readonly Result[]>>;

export interface LoadResults {
  /** Events a second. */
  readonly rate: number;
  readonly results: Rounds<LoadResult>;
}

export interface FaultResults {
  readonly name: string;
  readonly results: Rounds<FaultResult>;
}

/** One call of `npm run bench:kafka`. */
export interface Results {
  readonly machine: Machine;
  readonly node: string;
  /** Versions of the servers. */
  readonly kafka: string;
  readonly postgres: string;
  readonly settings: Readonly<Record<string, number | boolean>>;
  readonly throughputs: Rounds<Throughput>;
  readonly loads: readonly LoadResults[];
  readonly faults: readonly FaultResults[];
  readonly milliseconds: number;
}
