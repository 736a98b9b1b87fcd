import { isArray, isObject, ownKeys, read } from "./look.ts";
import type { Checker, Site } from "./site.ts";
import { suggestionFor } from "./words.ts";

/** What can be said about an object beyond its keys. */
export interface ObjectRules {
  /** Advice for keys that people bring along from elsewhere: `{ batchSize: 'did you mean "size"?' }`. */
  readonly hints?: Readonly<Record<string, string>>;
  /** What has to hold between several keys; called once, whatever is wrong with them on their own. */
  readonly also?: (value: object, site: Site) => void;
}

/** What a test accepts, as a whole; `inspect` looks at what is in it. What is refused is not shown: anything may have slipped in. */
export function whole<Accepted>(
  expected: string,
  accepts: (value: unknown) => value is Accepted,
  inspect: (value: Accepted, site: Site) => void = () => {},
): Checker {
  return {
    expected,
    inspect(value, site) {
      if (accepts(value)) inspect(value, site);
      else site.mistakeUnseen(expected, value);
    },
  };
}

/** An object with these keys and no others; `Options` makes the compiler see to it that none is forgotten. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- given by callers, to be held to its keys
export function object<Options extends object = Record<string, unknown>>(
  shape: { readonly [Key in keyof Options]-?: Checker },
  rules: ObjectRules = {},
): Checker {
  const keys = Object.keys(shape);
  return whole("an object", isObject, (value, site) => {
    inspectEach(shape, value, site);
    for (const key of ownKeys(value)) {
      if (!keys.includes(key)) refuse(key, keys, rules.hints ?? {}, site);
    }
    rules.also?.(value, site);
  });
}

/** An object, often an instance of a class, that has at least these properties, its own or inherited. */
export function shaped(shape: Readonly<Record<string, Checker>>, name = "an object"): Checker {
  const expected = `${name} with ${Object.keys(shape).join(" and ")}`;
  return whole(expected, isObject, (value, site) => inspectEach(shape, value, site));
}

/** An object of any keys whose values all fit; `nonEmpty` wants at least one. */
export function record(checker: Checker, options: { readonly nonEmpty?: boolean } = {}): Checker {
  const expected = options.nonEmpty ? "a non-empty object" : "an object";
  return whole(expected, isObject, (value, site) => {
    const keys = ownKeys(value);
    if (options.nonEmpty && keys.length === 0) site.mistakeInWords(expected, "an empty one");
    for (const key of keys) {
      const at = site.at(key);
      if (key !== "" && key !== "__proto__") checker.inspect(read(value, key), at);
      else at.mistakeInWords("another name", "an empty or a reserved one");
    }
  });
}

/** An array whose elements all fit; `nonEmpty` wants at least one. */
export function array(checker: Checker, options: { readonly nonEmpty?: boolean } = {}): Checker {
  const accepts = (value: unknown): value is readonly unknown[] =>
    isArray(value) && !(options.nonEmpty && read(value, "length") === 0);
  const expected = options.nonEmpty ? "a non-empty array" : "an array";
  return whole(expected, accepts, (value, site) => {
    for (let index = 0; index < value.length; index++) {
      checker.inspect(read(value, String(index)), site.at(String(index)));
    }
  });
}

function inspectEach(shape: object, value: object, site: Site): void {
  for (const [key, checker] of Object.entries<Checker>(shape as Record<string, Checker>)) {
    checker.inspect(read(value, key), site.at(key));
  }
}

function refuse(
  key: string,
  keys: readonly string[],
  hints: Readonly<Record<string, string>>,
  site: Site,
): void {
  const suggestion = suggestionFor(key, keys);
  const hint = Object.hasOwn(hints, key) ? hints[key] : suggestion && `Did you mean ${suggestion}?`;
  site.at(key).mistakeInWords(`one of ${keys.join(", ")}`, "an unknown option", hint);
}
