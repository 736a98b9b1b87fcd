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

/** An object with these keys and no others; `Options` makes the compiler see to it that none is forgotten. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- given by callers, to be held to its keys
export function object<Options extends object = Record<string, unknown>>(
  shape: { readonly [Key in keyof Options]-?: Checker },
  rules: ObjectRules = {},
): Checker {
  const entries = Object.entries<Checker>(shape);
  const keys = Object.keys(shape);
  const expected = "an object";
  return {
    expected,
    inspect(value, site) {
      if (!isObject(value)) return site.mistakeUnseen(expected, value);
      for (const [key, checker] of entries) checker.inspect(read(value, key), site.at(key));
      for (const key of ownKeys(value)) {
        if (!keys.includes(key)) refuse(key, keys, rules.hints, site);
      }
      rules.also?.(value, site);
    },
  };
}

/** An object, often an instance of a class, that has at least these properties, its own or inherited. */
export function shaped(shape: Readonly<Record<string, Checker>>, name = "an object"): Checker {
  const entries = Object.entries(shape);
  const expected = `${name} with ${entries.map(([key]) => key).join(" and ")}`;
  return {
    expected,
    inspect(value, site) {
      if (!isObject(value)) return site.mistakeUnseen(expected, value);
      for (const [key, checker] of entries) checker.inspect(read(value, key), site.at(key));
    },
  };
}

/** An object of any keys whose values all fit; `nonEmpty` wants at least one. */
export function record(checker: Checker, options: { readonly nonEmpty?: boolean } = {}): Checker {
  const expected = options.nonEmpty ? "an object with at least one key" : "an object";
  return {
    expected,
    inspect(value, site) {
      if (!isObject(value)) return site.mistakeUnseen(expected, value);
      const keys = ownKeys(value);
      if (options.nonEmpty && keys.length === 0) site.mistakeInWords(expected, "an empty one");
      for (const key of keys) {
        if (key === "" || key === "__proto__") {
          site
            .at(key)
            .mistakeInWords("another name", key === "" ? "an empty one" : "a reserved one");
        } else checker.inspect(read(value, key), site.at(key));
      }
    },
  };
}

/** An array whose elements all fit; `nonEmpty` wants at least one. */
export function array(checker: Checker, options: { readonly nonEmpty?: boolean } = {}): Checker {
  const expected = options.nonEmpty ? "an array of at least one" : "an array";
  return {
    expected,
    inspect(value, site) {
      if (!isArray(value) || (options.nonEmpty && read(value, "length") === 0)) {
        return site.mistakeUnseen(expected, value);
      }
      for (let index = 0; index < value.length; index++) {
        checker.inspect(read(value, String(index)), site.at(String(index)));
      }
    },
  };
}

function refuse(
  key: string,
  keys: readonly string[],
  hints: ObjectRules["hints"],
  site: Site,
): void {
  const suggestion = suggestionFor(key, keys);
  const hint =
    hints !== undefined && Object.hasOwn(hints, key)
      ? hints[key]
      : suggestion && `Did you mean "${key}" → "${suggestion}"?`;
  site.at(key).mistakeInWords(`one of ${keys.join(", ")}`, "an unknown option", hint);
}
