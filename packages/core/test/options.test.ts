import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigurationError, type ConfigurationIssue } from "../src/errors.ts";
import {
  advised,
  array,
  boolean,
  type Checker,
  check,
  either,
  func,
  integer,
  number,
  object,
  oneOf,
  optional,
  record,
  satisfying,
  shaped,
  string,
} from "../src/options.ts";
import { describeValue, suggestionFor } from "../src/options/words.ts";

/** The issues of a check, none if it passes. */
function issuesOf(value: unknown, checker: Checker): readonly ConfigurationIssue[] {
  try {
    check("subject", value, checker);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.issues;
    throw error;
  }
}

const lines = (value: unknown, checker: Checker): string[] =>
  issuesOf(value, checker).map(
    ({ path, expected, got, hint }) =>
      `${path}: ${expected}, got ${got}${hint === undefined ? "" : `. ${hint}`}`,
  );

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

describe("check", () => {
  const checker = object({
    size: integer({ min: 1 }),
    handle: func,
    nested: object({ on: boolean }),
  });

  it("passes what fits", () => {
    expect(issuesOf({ size: 1, handle() {}, nested: { on: true } }, checker)).toEqual([]);
  });

  it("throws one error that lists every mistake with its path", () => {
    const wrong = { size: -1, nested: { on: "yes" }, more: 1 };
    expect(() => check('sink "a"', wrong, checker)).toThrow(
      [
        'sink "a": 4 mistakes',
        "  size: expected an integer ≥ 1, got -1",
        "  handle: expected a function, got undefined",
        '  nested.on: expected true or false, got "yes"',
        "  more: expected one of size, handle, nested, got an unknown option",
      ].join("\n"),
    );
  });

  it("calls the root options", () => {
    expect(lines(undefined, checker)).toEqual(["options: an object, got undefined"]);
  });

  it("throws nothing but ConfigurationError, whatever the options", () => {
    const any = object({
      a: optional(record(array(string()))),
      b: optional(shaped({ open: func })),
    });
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true }), fc.anything(), (a, b) => {
        expect(() => [issuesOf(a, any), issuesOf({ a, b }, any)]).not.toThrow();
      }),
    );
  });
});

describe("a checker", () => {
  it.each([
    [
      "integer",
      integer({ min: 1 }),
      [1, 2 ** 31],
      [0, -1, 1.5, NaN, Infinity, "1", 1n, null, 2 ** 53],
    ],
    ["integer with a maximum", integer({ min: 0, max: 5 }), [0, 5], [6, -1]],
    ["number", number(), [-1.5, 0, 1e300], [NaN, Infinity, -Infinity, "1"]],
    ["number with limits", number({ min: 0, max: 1 }), [0, 0.5, 1], [-0.1, 1.1]],
    ["number above a limit", number({ above: 0 }), [0.001], [0, -1, Infinity]],
    ["number that may be infinite", number({ finite: false }), [Infinity, 1], [NaN]],
    ["string", string(), ["", "a"], [1, null]],
    ["non-empty string", string({ nonEmpty: true }), ["a"], [""]],
    ["boolean", boolean, [true, false], [0, "true", undefined]],
    ["function", func, [() => {}, Map], [{}, undefined]],
    ["oneOf", oneOf("a", 1, null), ["a", 1, null], ["b", "1", undefined]],
    ["optional", optional(string()), [undefined, "a"], [null, 1]],
    ["array", array(string()), [[], ["a"]], [{}, ["a", 1], "ab"]],
    ["non-empty array", array(string(), { nonEmpty: true }), [["a"]], [[]]],
    ["record", record(boolean), [{}, { a: true }], [{ a: 1 }, [], null, { "": true }]],
    ["non-empty record", record(boolean, { nonEmpty: true }), [{ a: true }], [{}]],
    [
      "shaped",
      shaped({ open: func }),
      [
        { open() {}, more: 1 },
        new (class {
          open() {}
        })(),
      ],
      [{}, null, () => {}],
    ],
    [
      "satisfying",
      satisfying("even", (value) => (value as number) % 2 === 0),
      [2],
      [3, Symbol("x")],
    ],
  ] as [string, Checker, unknown[], unknown[]][])(
    "of %s takes what it says and refuses the rest",
    (_, checker, good, bad) => {
      for (const value of good) expect(lines(value, checker)).toEqual([]);
      for (const value of bad) expect(lines(value, checker)).toHaveLength(1);
    },
  );

  it.each([
    [integer({ min: 1 }), "an integer ≥ 1"],
    [integer({ min: 1, max: 9 }), "an integer ≥ 1 and ≤ 9"],
    [number({ above: 0, max: 1 }), "a finite number > 0 and ≤ 1"],
    [number({ finite: false }), "a number"],
    [oneOf("a", "b", 3), '"a" or "b" or 3'],
    [shaped({ name: string(), open: func }, "a producer"), "a producer with name and open"],
    [optional(string({ nonEmpty: true })), "a non-empty string"],
    [either(() => true, string(), func), "a string, or a function"],
  ])("says in words what it expects %#", (checker, expected) => {
    expect(checker.expected).toBe(expected);
  });

  it("chosen by either is the one its predicate is for, and a predicate that throws chooses the second", () => {
    const checker = either((value) => "a" in (value as object), object({ a: func }), string());
    expect(lines({ a: 1 }, checker)).toEqual(["a: a function, got 1"]);
    expect(lines(1, checker)).toEqual(["options: a string, got 1"]);
  });

  it("that is advised gives its hint where there is none", () => {
    const checker = object({
      retry: advised("Make one with retry().", object({ attempts: func })),
    });
    expect(lines({ retry: { attempts: 1 } }, checker)).toEqual([
      "retry.attempts: a function, got 1. Make one with retry().",
    ]);
    expect(lines({ retry: { attempts() {}, atempts: 1 } }, checker)).toEqual([
      "retry.atempts: one of attempts, got an unknown option. Did you mean attempts?",
    ]);
  });

  it.each([
    ["an object", object({})],
    ["a shape", shaped({ on: boolean })],
    ["a record", record(boolean)],
    ["an array", array(boolean)],
  ])("of %s does not show what came instead: it may be a secret", (_, structure) => {
    expect(lines("hunter2", structure)[0]).toMatch(/got a string of length 7$/);
  });

  it("of an object may look at several keys together", () => {
    const checker = object(
      { min: integer({ min: 0 }), max: integer({ min: 0 }) },
      {
        also: (value, site) =>
          void ("min" in value && site.at("max").mistake("≥ min", 1, "Swap them.")),
      },
    );
    expect(lines({ min: 2, max: 1 }, checker)).toEqual(["max: ≥ min, got 1. Swap them."]);
  });

  it("refuses a record's own __proto__", () => {
    const parsed: unknown = JSON.parse('{"__proto__":true,"a":true}');
    expect(lines(parsed, record(boolean))).toEqual([
      "__proto__: another name, got an empty or a reserved one",
    ]);
  });
});

describe("an unknown key", () => {
  const batcher = object(
    { ledger: optional(func), size: optional(func), timeout: optional(func) },
    {
      hints: { batchSize: "It is called size here." },
    },
  );

  it.each([
    ["leger", ". Did you mean ledger?"],
    ["tiemout", ". Did you mean timeout?"],
    ["time_out", ". Did you mean timeout?"],
    ["flush_size", ". Did you mean size?"],
    ["Size", ". Did you mean size?"],
    ["batchSize", ". It is called size here."],
    ["prefetch", ""],
    ["toString", ""],
  ])("%s gets a fitting hint", (key, hint) => {
    expect(lines({ [key]: 1 }, batcher)).toEqual([
      `${key}: one of ledger, size, timeout, got an unknown option${hint}`,
    ]);
  });

  it("is found even if its value is undefined", () => {
    expect(lines({ leger: undefined }, batcher)).toHaveLength(1);
  });

  it("is written as code would write it", () => {
    const [issue] = issuesOf({ a: { "x y\n": 1 } }, object({ a: object({}) }));
    expect(issue?.path).toBe('a["x y\u{fffd}"]');
  });

  it("gets no suggestion that has nothing in common with it", () => {
    expect(suggestionFor("b", ["a"])).toBeUndefined();
    expect(suggestionFor("x".repeat(10_000), ["size"])).toBeUndefined();
  });

  it("is suggested for every single edit of a known name", () => {
    const edit = fc.record({ at: fc.nat(6), put: fc.stringMatching(/^[a-z]?$/), take: fc.nat(1) });
    fc.assert(
      fc.property(edit, ({ at, put, take }) => {
        const name = `timeout`.slice(0, at) + put + `timeout`.slice(at + take);
        expect(suggestionFor(name, ["size", "timeout", "handle"])).toBe("timeout");
      }),
    );
  });
});

describe("what came", () => {
  it.each([
    [undefined, "undefined"],
    [null, "null"],
    [NaN, "NaN"],
    [-1, "-1"],
    [12n, "a bigint"],
    [true, "true"],
    ["abc", '"abc"'],
    ["", '""'],
    ["x".repeat(40), `"${"x".repeat(40)}"`],
    ["x".repeat(312), "a string of length 312"],
    [[1, 2, 3], "an array of 3"],
    [{}, "an object"],
    [() => {}, "a function"],
    [Symbol("s"), "a symbol"],
    [Promise.resolve(), "a Promise"],
    [new Map(), "a Map"],
    [new Uint8Array(4), "a Uint8Array"],
    ["a\u001b[31mb\u0000\n", '"ab\u{fffd}"'],
    ["redis://:hunter2@host", "a string of length 21"],
    ["Password=hunter2", "a string of length 16"],
  ])("is described: %#", (value, words) => {
    expect(describeValue(value)).toBe(words);
  });

  it.each([
    "password",
    "dbPassword",
    "passphrase",
    "token",
    "accessToken",
    "secret",
    "clientSecret",
    "sasl",
    "key",
    "privateKey",
    "apiKey",
    "accessKeyId",
    "secretAccessKey",
    "private_key",
    "api-key",
    "credentials",
    "pem",
    "pfx",
    "authorization",
  ])("under %s is never shown", (key) => {
    const checker = object({ [key]: func });
    expect(lines({ [key]: "hunter2" }, checker)).toEqual([
      `${key}: a function, got a string of length 7`,
    ]);
    expect(lines({ [key]: 1234 }, checker)).toEqual([`${key}: a function, got a number`]);
  });

  it("below a key that names a secret is never shown either", () => {
    const checker = object({ sasl: object({ username: func, more: array(func) }) });
    const said = lines({ sasl: { username: "hunter2", more: ["hunter2"] } }, checker);
    expect(said).toHaveLength(2);
    expect(said.join()).not.toContain("hunter2");
  });

  it.each(["size", "name", "timeout", "maxInFlight", "partitionBy", "keyboard"])(
    "under %s is shown",
    (key) => {
      expect(lines({ [key]: "x" }, object({ [key]: func }))).toEqual([
        `${key}: a function, got "x"`,
      ]);
    },
  );

  it("is said even of a getter that throws, with the other mistakes", () => {
    const trapped = {
      get size(): number {
        throw new Error("no");
      },
      on: 1,
    };
    const checker = object({ size: optional(integer({ min: 1 })), on: boolean });
    expect(lines(trapped, checker)).toEqual([
      "size: an integer ≥ 1, got something unreadable",
      "on: true or false, got 1",
    ]);
  });

  it("is said even of a revoked proxy", () => {
    expect(describeValue(revoked())).toBe("something unreadable");
    for (const checker of [
      object({ a: func }),
      record(func, { nonEmpty: true }),
      array(func),
      shaped({ a: func }),
      func,
    ]) {
      expect(issuesOf(revoked(), checker).length).toBeGreaterThan(0);
    }
  });
});
