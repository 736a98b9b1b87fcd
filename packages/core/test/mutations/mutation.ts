/** A bug made by hand, and the tests that are to find it. */
export interface Mutation {
  /** What goes wrong. */
  readonly name: string;
  /** The file in `packages/core/src/topology`, without its extension. */
  readonly file: string;
  /** Occurs once in it. */
  readonly search: string;
  readonly replace: string;
  /** Test files in `packages/core/test`, as vitest filters them. */
  readonly tests: readonly string[];
}

/** Random scenarios, played through whole pipelines. */
export const SCENARIOS = "properties/scenarios";
