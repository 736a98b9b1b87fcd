import { AssertionError } from "node:assert/strict";
import type { ProducerFeatures } from "../describe-producer.ts";
import type { Trial } from "./trial.ts";

/** One promise that a producer has to keep. */
export interface Scenario {
  readonly title: string;
  /** It is tested only if the producer promises all of these. */
  readonly needs: readonly (keyof ProducerFeatures)[];
  run(trial: Trial): Promise<void>;
}

/** Fails unless both hold the same values the same number of times; says which are missing and which are too many. */
export function assertSame(
  actual: readonly string[],
  expected: readonly string[],
  what: string,
): void {
  const missing = without(expected, actual);
  const surplus = without(actual, expected);
  if (missing.length === 0 && surplus.length === 0) return;
  const faults = [
    ...(missing.length === 0 ? [] : [`missing: ${listed(missing)}`]),
    ...(surplus.length === 0 ? [] : [`too many: ${listed(surplus)}`]),
  ];
  throw new AssertionError({ message: `${what}: ${faults.join("; ")}`, actual, expected });
}

/** Fails unless both hold the same values in the same order. */
export function assertInOrder(
  actual: readonly string[],
  expected: readonly string[],
  what: string,
): void {
  assertSame(actual, expected, what);
  const at = actual.findIndex((value, index) => value !== expected[index]);
  if (at < 0) return;
  const message = `${what}: "${actual[at]}" came where "${expected[at]}" was due`;
  throw new AssertionError({ message, actual, expected });
}

function without(values: readonly string[], others: readonly string[]): string[] {
  const rest = [...others];
  return values.filter((value) => {
    const at = rest.indexOf(value);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}

function listed(values: readonly string[]): string {
  const shown = values.slice(0, 5).map((value) => `"${value}"`);
  return values.length > 5 ? `${shown.join(", ")} and ${values.length - 5} more` : shown.join(", ");
}
