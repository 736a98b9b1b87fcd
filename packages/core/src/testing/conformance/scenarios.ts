import { ending } from "./ending.ts";
import { returning } from "./returning.ts";
import { running } from "./running.ts";
import type { Scenario } from "./scenario.ts";
import { settling } from "./settling.ts";
import { taking } from "./taking.ts";

/** What every producer has to pass, as far as it promises it. */
export const scenarios: readonly Scenario[] = [
  ...taking,
  ...ending,
  ...settling,
  ...returning,
  ...running,
];
