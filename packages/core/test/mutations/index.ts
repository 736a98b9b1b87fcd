import { batching } from "./batching.ts";
import { ledger } from "./ledger.ts";
import { processing } from "./processing.ts";
import { running } from "./running.ts";
import { sources } from "./sources.ts";
import type { Mutation } from "./mutation.ts";

export type { Mutation };

/** Bugs that such a runtime has had, here or elsewhere. None may survive `npm run mutations`. */
export const mutations: readonly Mutation[] = [
  ...ledger,
  ...sources,
  ...processing,
  ...batching,
  ...running,
];
