import { ConfigurationError, type ConfigurationIssue } from "./errors.ts";
import { look } from "./options/look.ts";
import { type Checker, Site } from "./options/site.ts";
import { describeValue } from "./options/words.ts";

export { isArray, isObject, ownKeys, read } from "./options/look.ts";
export type { Checker, Site } from "./options/site.ts";
export { array, object, record, shaped } from "./options/structure.ts";

/**
 * Checks options against their description.
 * @throws ConfigurationError that lists every mistake; its message begins with `subject`.
 */
export function check(subject: string, value: unknown, checker: Checker): void {
  const issues: ConfigurationIssue[] = [];
  checker.inspect(value, new Site((issue) => issues.push(issue)));
  if (issues.length > 0) throw new ConfigurationError(subject, issues);
}

/** Whatever a test accepts; a test that throws does not accept. */
export function satisfying(expected: string, accepts: (value: unknown) => boolean): Checker {
  return {
    expected,
    inspect(value, site) {
      if (!look(() => accepts(value), false)) site.mistake(expected, value);
    },
  };
}

/** A safe integer; unlimited above unless `max` says so. */
export function integer(range: { readonly min: number; readonly max?: number }): Checker {
  const { min, max } = range;
  const limits = max === undefined ? `≥ ${min}` : `from ${min} to ${max}`;
  return satisfying(
    `an integer ${limits}`,
    (value) => Number.isSafeInteger(value) && isWithin(value, min, max),
  );
}

/**
 * A number, never NaN. `above` leaves out the limit itself.
 * `finite: false` takes `Infinity` too.
 */
export function number(
  range: {
    readonly min?: number;
    readonly above?: number;
    readonly max?: number;
    readonly finite?: boolean;
  } = {},
): Checker {
  const { min, above, max, finite = true } = range;
  const limits = [
    min !== undefined && `≥ ${min}`,
    above !== undefined && `> ${above}`,
    max !== undefined && `≤ ${max}`,
  ];
  const kind = finite ? "a finite number" : "a number";
  return satisfying(
    `${kind} ${limits.filter(Boolean).join(" and ")}`.trim(),
    (value) =>
      isWithin(value, min, max) &&
      value !== above &&
      isWithin(value, above) &&
      (!finite || Number.isFinite(value)),
  );
}

function isWithin(value: unknown, min = -Infinity, max = Infinity): boolean {
  return typeof value === "number" && value >= min && value <= max;
}

/** A string; `nonEmpty` leaves out the empty one. */
export function string(options: { readonly nonEmpty?: boolean } = {}): Checker {
  const { nonEmpty = false } = options;
  return satisfying(
    nonEmpty ? "a non-empty string" : "a string",
    (value) => typeof value === "string" && (!nonEmpty || value.length > 0),
  );
}

/** `true` or `false`. */
export const boolean: Checker = satisfying("true or false", (value) => typeof value === "boolean");

/** A function. */
export const func: Checker = satisfying("a function", (value) => typeof value === "function");

/** One of a few values, compared with `Object.is`. */
export function oneOf(...literals: readonly (string | number | boolean | null)[]): Checker {
  const names = literals.map((literal) => describeValue(literal));
  return satisfying(names.join(" or "), (value) => literals.some((one) => Object.is(one, value)));
}

/** `undefined`, or what the checker takes. */
export function optional(checker: Checker): Checker {
  return {
    expected: checker.expected,
    inspect(value, site) {
      if (value !== undefined) checker.inspect(value, site);
    },
  };
}

/** What the checker takes, with advice for every mistake in it that has none of its own. */
export function advised(hint: string, checker: Checker): Checker {
  return {
    expected: checker.expected,
    inspect: (value, site) => checker.inspect(value, site.hinting(hint)),
  };
}

/** The first checker for values the predicate is true of, the second for all others. */
export function either(
  isFirst: (value: unknown) => boolean,
  first: Checker,
  second: Checker,
): Checker {
  return {
    expected: `${first.expected}, or ${second.expected}`,
    inspect(value, site) {
      (look(() => isFirst(value), false) ? first : second).inspect(value, site);
    },
  };
}
