import { ConfigurationError, type ConfigurationIssue } from "./errors.ts";
import { look } from "./options/look.ts";
import { type Checker, Site } from "./options/site.ts";
import { describeValue } from "./options/words.ts";

export { isArray, isObject, ownKeys, read } from "./options/look.ts";
export type { Checker, Site } from "./options/site.ts";
export { array, object, record, shaped, whole } from "./options/structure.ts";

/**
 * Checks options against their description.
 * @throws ConfigurationError that lists every mistake; its message begins with `subject`.
 */
export function check(subject: string, value: unknown, checker: Checker): void {
  const issues: ConfigurationIssue[] = [];
  checker.inspect(value, new Site((issue) => issues.push(issue)));
  if (issues.length > 0) throw new ConfigurationError(subject, issues);
}

/**
 * Refuses text in place of several things: it would be taken character by character.
 * @throws ConfigurationError that names `path`
 */
export function refuseText(subject: string, path: string, value: unknown): void {
  if (typeof value !== "string") return;
  throw new ConfigurationError(subject, [
    { path, expected: "an iterable", got: "text", hint: "Put a single one into an array." },
  ]);
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

interface Limits {
  readonly min?: number;
  /** As `min`, but without the limit itself. */
  readonly above?: number;
  readonly max?: number;
}

/** A safe integer; unlimited above unless `max` says so. */
export function integer(range: { readonly min: number; readonly max?: number }): Checker {
  return within("an integer", range, Number.isSafeInteger);
}

/** A number, never NaN. `finite: false` takes `Infinity` too. */
export function number(range: Limits & { readonly finite?: boolean } = {}): Checker {
  return range.finite === false
    ? within("a number", range, (value) => typeof value === "number")
    : within("a finite number", range, Number.isFinite);
}

function within(kind: string, range: Limits, accepts: (value: unknown) => boolean): Checker {
  const { min, above, max } = range;
  const limits = [
    min !== undefined && ` ≥ ${min}`,
    above !== undefined && ` > ${above}`,
    max !== undefined && ` ≤ ${max}`,
  ].filter(Boolean);
  return satisfying(kind + limits.join(" and"), (value) => {
    const given = value as number;
    return (
      accepts(given) &&
      given >= (min ?? -Infinity) &&
      given <= (max ?? Infinity) &&
      (above === undefined || given > above)
    );
  });
}

/** A string; `nonEmpty` leaves out the empty one. */
export function string({ nonEmpty = false }: { readonly nonEmpty?: boolean } = {}): Checker {
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
