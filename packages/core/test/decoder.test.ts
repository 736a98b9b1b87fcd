import { inspect } from "node:util";
import { type } from "arktype";
import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, expectTypeOf, it } from "vitest";
import * as z from "zod";
import { type Decoder, json, schema, text } from "../src/decoder.ts";
import { ConfigurationError, DecodeError } from "../src/errors.ts";
import type { StandardSchemaV1 } from "../src/standard-schema.ts";

const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

/** What a decoder gives, or the DecodeError it throws; anything else it throws fails the test. */
function outcome(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
}

function refusal(act: () => unknown): DecodeError {
  const error = outcome(act);
  if (error instanceof DecodeError) return error;
  throw new Error("nothing was thrown");
}

const everythingSaid = (error: Error): string =>
  [
    error.message,
    error.stack,
    JSON.stringify(error),
    inspect(error, { depth: 9, showHidden: true }),
  ].join("\n");

describe("json", () => {
  it("gives what JSON.parse gives, for text and for bytes", () => {
    fc.assert(
      fc.property(fc.json(), (document) => {
        // fast-check likes "__proto__" as a key.
        fc.pre(!document.includes("__proto__"));
        expect(json().decode(document)).toEqual(JSON.parse(document));
        expect(json().decode(bytes(document))).toEqual(JSON.parse(document));
      }),
    );
  });

  it("throws nothing but DecodeError, whatever the text", () => {
    const fragments = fc.constantFrom(
      ...'{ } [ ] " , : \\ 0 - 1 e \n'.split(" "),
      " ",
      "\\u005f",
      "__proto__",
      "null",
      "\u{fffe}",
      "\ud800",
    );
    const texts = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(fragments).map((all) => all.join("")),
    );
    fc.assert(
      fc.property(texts, (payload) => {
        const result = outcome(() => json().decode(payload));
        expect(result).toEqual(result instanceof DecodeError ? result : JSON.parse(payload));
      }),
      { numRuns: 1_000 },
    );
  });

  it("throws nothing but DecodeError, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (payload) => {
        const accepted = (): unknown => JSON.parse(new TextDecoder().decode(payload));
        const result = outcome(() => json().decode(payload));
        expect(result).toEqual(result instanceof DecodeError ? result : accepted());
      }),
      { numRuns: 1_000 },
    );
  });

  it("reads a view into the middle of a larger buffer", () => {
    expect(json().decode(bytes('xx{"a":1}xx').subarray(2, 9))).toEqual({ a: 1 });
    expect(json().decode(Buffer.from('xx{"a":1}xx').subarray(2, 9))).toEqual({ a: 1 });
  });

  it("gives no promise without a schema that does", () => {
    expect(json().decode("1")).toBe(1);
    expect(json(z.number()).decode("1")).toBe(1);
  });

  it("gives a promise if the schema does", async () => {
    const late = json(z.number().refine(async (value) => value > 0));
    expect(late.decode("1")).toBeInstanceOf(Promise);
    await expect(late.decode("1")).resolves.toBe(1);
    await expect(late.decode("-1")).rejects.toBeInstanceOf(DecodeError);
  });

  it.each([
    ["zod", z.object({ id: z.coerce.number() })],
    ["valibot", v.object({ id: v.pipe(v.string(), v.transform(Number)) })],
    ["arktype", type({ id: "string.integer.parse" })],
  ] as [string, StandardSchemaV1][])("gives what a schema of %s makes of it", (_, given) => {
    expect(json(given).decode('{"id":"12"}')).toEqual({ id: 12 });
  });

  it("names the issues of a schema by path", () => {
    const order = z.object({ lines: z.array(z.object({ id: z.number() })) });
    const { issues, message } = refusal(() => json(order).decode('{"lines":[{"id":"x"}]}'));
    expect(message).toBe("the payload does not fit its schema: 1 issue");
    expect(issues).toEqual([
      { message: "Invalid input: expected number, received string", path: ["lines", 0, "id"] },
    ]);
  });

  it("lets pass what a schema throws, as it may be worth a retry", () => {
    const flaky: StandardSchemaV1<string> = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate() {
          throw new RangeError("connection lost");
        },
      },
    };
    expect(() => json(flaky).decode('"x"')).toThrow(RangeError);
  });

  it("says where the text stops being JSON if that can be said without quoting it", () => {
    expect(refusal(() => json().decode('{"a" 1}')).message).toMatch(
      /^the payload is not JSON, at position 5$/,
    );
    expect(refusal(() => json().decode('{"a":')).message).toBe(
      "the payload is not JSON: it ends too early",
    );
  });

  it("does not take a position out of a piece of the payload", () => {
    const error = refusal(() => json().decode("x at position 4111111111111111"));
    expect(error.message).toBe("the payload is not JSON");
  });

  it.each([
    ["", "the payload is empty, which is not JSON"],
    [new Uint8Array(), "the payload is empty, which is not JSON"],
    [null, /^there is no payload: it is null.*tombstone/],
    [undefined, /^there is no payload: it is undefined/],
    [12, "the payload is neither a string nor bytes, its type is number"],
    [new ArrayBuffer(2), "the payload is neither a string nor bytes, its type is object"],
    [new Uint8Array([0x22, 0xff, 0x22]), "the payload is not valid UTF-8"],
  ])("says in plain words what is wrong with %o", (payload, message) => {
    expect(refusal(() => json().decode(payload as string)).message).toMatch(message);
  });
});

describe("json, against hostile payloads", () => {
  it.each([
    '{"__proto__":{"admin":true}}',
    '{"a":[{"b":{"__proto__":1}}]}',
    '{"\\u005f\\u005fproto__":{}}',
    '{"\\u005F_proto_\\u005f":{}}',
    '{"__pr\\u006fto__":{}}',
    '{"__\\u0070\\u0072\\u006f\\u0074\\u006f__":{}}',
    '{"\\u00e9":1,"__pr\\u006fto__":{}}',
    '{"__proto__" : 1}',
    '{"__proto__":1,"__proto__":null}',
    '{"constructor":{"prototype":{"admin":true}}}',
    '{"constructor" :\n{"prototype":1}}',
    '{"c\\u006fnstructor":{"prototype":{}}}',
    '{"constructor":{"prot\\u006ftype":{}}}',
    '[1,[{"constructor":{"x":1,"prototype":null}}]]',
  ])("refuses %s", (payload) => {
    expect(refusal(() => json().decode(payload)).message).toMatch(/pollute prototypes/);
    expect(refusal(() => json().decode(bytes(payload))).message).toMatch(/pollute prototypes/);
  });

  it.each([
    '{"text":"__proto__"}',
    '{"text":"\\"__proto__\\":1"}',
    '{"prototype":{"constructor":"x"}}',
    '{"constructor":"Fisker","prototype":true}',
    '{"proto":1,"protocol":"https"}',
    '{"name":"\\u0061\\u00e9"}',
    '{"constructor":null,"prototype":1}',
  ])("takes %s, which is harmless", (payload) => {
    expect(json().decode(payload)).toEqual(JSON.parse(payload));
  });

  it("refuses a __proto__ key wherever it is and however it is written", () => {
    const written = fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }).map((escaped) =>
      "__proto__"
        .split("")
        .map((letter, at) => (escaped[at] ? `\\u00${letter.charCodeAt(0).toString(16)}` : letter))
        .join(""),
    );
    fc.assert(
      fc.property(written, fc.json(), fc.nat(5), (key, other, depth) => {
        const payload = `${'{"k":['.repeat(depth)}[${other},{"${key}":${other}}]${"]}".repeat(depth)}`;
        expect(refusal(() => json().decode(payload)).message).toMatch(/__proto__/);
      }),
    );
  });

  it.each([
    ["arrays", "[", "]", ""],
    ["objects", '{"a":', "}", "1"],
    ["both", '[{"a":', "}]", "1"],
    ["objects with empty keys", '{"":', "}", "{}"],
  ])("counts the depth of %s exactly", (_, open, close, inmost) => {
    const levels = open.length === 6 && open.startsWith("[") ? 2 : 1;
    const extra = inmost === "{}" ? 1 : 0;
    const nested = (depth: number): string => {
      const times = (depth - extra) / levels;
      return open.repeat(times) + inmost + close.repeat(times);
    };
    expect(() => json(undefined, { maxDepth: 40 }).decode(nested(40))).not.toThrow();
    const error = refusal(() => json(undefined, { maxDepth: 40 - levels }).decode(nested(40)));
    expect(error.message).toBe(`the payload is nested deeper than maxDepth (${40 - levels})`);
  });

  it("agrees with a plain count of the depth", () => {
    const depthOf = (value: unknown): number =>
      typeof value === "object" && value !== null
        ? 1 + Math.max(0, ...Object.values(value).map(depthOf))
        : 0;
    const documents = fc.jsonValue({ maxDepth: 12 }).map((value) => JSON.stringify(value));
    fc.assert(
      fc.property(documents, fc.integer({ min: 1, max: 6 }), (document, maxDepth) => {
        fc.pre(!document.includes("__proto__"));
        const result = outcome(() => json(undefined, { maxDepth }).decode(document));
        const tooDeep = depthOf(JSON.parse(document)) > maxDepth;
        expect(result instanceof DecodeError).toBe(tooDeep);
        expect(tooDeep || result).toEqual(tooDeep || JSON.parse(document));
      }),
      { numRuns: 1_000 },
    );
  });

  it("takes more brackets than maxDepth next to each other, or in strings", () => {
    const wide = JSON.stringify(Array.from({ length: 2_000 }, (_, id) => ({ id, tags: [id] })));
    expect(json().decode(wide)).toEqual(JSON.parse(wide));
    const quoted = JSON.stringify("[{".repeat(5_000));
    expect(json().decode(quoted)).toEqual(JSON.parse(quoted));
  });

  it.each([
    ["arrays", "[".repeat(1e5) + "]".repeat(1e5)],
    ["objects", '{"a":'.repeat(1e5) + "1" + "}".repeat(1e5)],
    ["arrays that never end", "[".repeat(1e6)],
    ["a polluted bottom", '{"a":'.repeat(1e5) + '{"__proto__":1}' + "}".repeat(1e5)],
  ])("survives 100,000 levels of %s", (_, payload) => {
    const error = refusal(() => json().decode(payload));
    expect(error).toBeInstanceOf(DecodeError);
  });

  it("walks as deep as it is told to without overflowing the stack", () => {
    const deep = '{"a":'.repeat(1e5) + '{"__proto__":1}' + "}".repeat(1e5);
    const error = refusal(() => json(undefined, { maxDepth: 1e6 }).decode(deep));
    expect(error.message).toMatch(/__proto__/);
  });

  it("counts maxBytes in bytes of UTF-8, for text as for bytes", () => {
    const decoder = json(undefined, { maxBytes: 6 });
    expect(decoder.decode('"éé"')).toBe("éé");
    expect(decoder.decode(bytes('"éé"'))).toBe("éé");
    const message = "the payload takes 7 bytes, more than maxBytes (6)";
    expect(refusal(() => decoder.decode('"ééa"')).message).toBe(message);
    expect(refusal(() => decoder.decode(bytes('"ééa"'))).message).toBe(message);
  });

  it("takes a mebibyte unless told otherwise", () => {
    const exactly = `"${"x".repeat(2 ** 20 - 2)}"`;
    expect(json().decode(exactly)).toHaveLength(2 ** 20 - 2);
    refusal(() => json().decode(`${exactly} `));
  });
});

describe("a DecodeError", () => {
  const secret = 'hunter2 "4111"\n\u{1f511}key';
  const record = { id: secret, total: 4_111_111_111, list: [secret, 98_765_432], short: "pw9" };
  const broken = [
    `{"password":"hunter2","x" 1}`,
    `{"password":"hunter2"`,
    `hunter2`,
    `{"password":hunter2}`,
    `{"password":"hunter2\u0007"}`,
    `{"__proto__":"hunter2"}`,
    `${"[".repeat(1100)}"hunter2"${"]".repeat(1100)}`,
  ];

  it.each(broken)("tells nothing of the payload %#", (payload) => {
    for (const given of [payload, bytes(payload)]) {
      const error = refusal(() => json().decode(given));
      expect(everythingSaid(error)).not.toContain("hunter");
      expect(error.cause).toBeUndefined();
    }
  });

  it.each([
    [
      "zod",
      z.object({ id: z.number(), total: z.string(), list: z.array(z.boolean()), short: z.null() }),
    ],
    [
      "valibot",
      v.object({ id: v.number(), total: v.string(), list: v.array(v.boolean()), short: v.null() }),
    ],
    ["arktype", type({ id: "number", total: "string", list: "boolean[]", short: "'a'" })],
    [
      "a talkative one",
      z
        .any()
        .superRefine((value, context) =>
          context.addIssue(`no ${value.id} ${value.total} ${value.total}`),
        ),
    ],
  ] as [string, StandardSchemaV1][])(
    "tells no value of the payload by issues of %s",
    (_, given) => {
      for (const decode of [
        () => json(given).decode(JSON.stringify(record)),
        () => schema(given).decode(record),
      ]) {
        const said = everythingSaid(refusal(decode));
        for (const piece of ["hunter2", "4111", "98765432", "\u{1f511}", "pw9"]) {
          expect(said).not.toContain(piece);
        }
      }
    },
  );

  it("says what was expected even if it hides what was received", () => {
    const { issues } = refusal(() => json(v.object({ id: v.number() })).decode('{"id":"hunter2"}'));
    expect(issues).toEqual([
      { message: "Invalid type: Expected number but received …", path: ["id"] },
    ]);
  });

  it("keeps ten issues at most and says how many there were", () => {
    const payload = JSON.stringify(Array.from({ length: 25 }, () => null));
    const { issues, message } = refusal(() => json(z.array(z.number())).decode(payload));
    expect(issues).toHaveLength(10);
    expect(message).toMatch(/25 issues$/);
  });

  it("keeps 256 printable characters of an issue", () => {
    const said = `\u001b[31mred\u001b[0m\r\nforged: line\u202e\u0000 ${"x".repeat(900)}`;
    const loud = z.any().refine(() => false, said);
    const [issue] = refusal(() => json(loud).decode('{"a":1}')).issues;
    expect(issue?.message).toHaveLength(256);
    expect(issue?.message).toMatch(/^redforged: line xxx.*…$/);
  });

  it("keeps printable keys only in paths", () => {
    const [issue] = refusal(() =>
      json(z.record(z.string(), z.number())).decode('{"a\\u001b[31m\\nb":"x"}'),
    ).issues;
    expect(issue?.path).toEqual(["ab"]);
  });

  it("withholds the words of issues about payloads with too many values to look for", () => {
    const payload = JSON.stringify(Array.from({ length: 20_000 }, (_, at) => `value-${at}`));
    const { issues } = refusal(() => json(v.array(v.number())).decode(payload));
    expect(issues[0]).toEqual({ message: "does not fit", path: [0] });
  });
});

describe("text", () => {
  it("gives strings as they are and bytes as UTF-8", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (given) => {
        expect(text().decode(given)).toBe(given);
        expect(text().decode(bytes(given))).toBe(given);
      }),
    );
  });

  it("takes the empty text", () => {
    expect(text().decode("")).toBe("");
  });

  it("refuses what is no text", () => {
    expect(refusal(() => text().decode(null)).message).toMatch(/tombstone/);
    expect(refusal(() => text().decode(new Uint8Array([0xc3]))).message).toMatch(/UTF-8/);
    expect(refusal(() => text({ maxBytes: 2 }).decode("abc")).message).toMatch(/maxBytes \(2\)/);
  });
});

describe("schema", () => {
  it("checks and transforms values", () => {
    const decoder = schema(z.object({ id: z.coerce.number() }));
    expect(decoder.decode({ id: "7" })).toEqual({ id: 7 });
    refusal(() => decoder.decode({ id: "seven" }));
  });

  it("leaves it to the schema whether null fits", () => {
    expect(schema(z.null()).decode(null)).toBeNull();
    refusal(() => schema(z.string()).decode(null as never));
  });
});

describe("the options of a decoder", () => {
  it.each([0, -1, 1.5, NaN, Infinity, "10" as never])("refuse %s as a limit", (maxBytes) => {
    expect(() => json(undefined, { maxBytes })).toThrow(ConfigurationError);
    expect(() => json(undefined, { maxDepth: maxBytes })).toThrow(ConfigurationError);
    expect(() => text({ maxBytes })).toThrow(ConfigurationError);
  });

  it("refuse what is no schema and say where options go", () => {
    expect(() => json({ maxBytes: 10 } as never)).toThrow(
      /schema: expected a Standard Schema.*second argument/,
    );
    expect(() => schema(null as never)).toThrow(ConfigurationError);
  });
});

describe("the types of decoders", () => {
  const order = z.object({ id: z.string(), at: z.string().transform((at) => new Date(at)) });
  type Order = { id: string; at: Date };

  it("carry what the schema gives", () => {
    expectTypeOf(json()).toEqualTypeOf<Decoder<string | Uint8Array | null, unknown>>();
    expectTypeOf(json(order)).toEqualTypeOf<Decoder<string | Uint8Array | null, Order>>();
    expectTypeOf(json(v.object({ id: v.number() }))).toEqualTypeOf<
      Decoder<string | Uint8Array | null, { id: number }>
    >();
    expectTypeOf(json(type({ id: "number" }))).toEqualTypeOf<
      Decoder<string | Uint8Array | null, { id: number }>
    >();
    expectTypeOf(text()).toEqualTypeOf<Decoder<string | Uint8Array | null, string>>();
    expectTypeOf(schema(order)).toEqualTypeOf<Decoder<{ id: string; at: string }, Order>>();
  });

  it("fit producers of unknown, of the schema's input, and of wider rows, not of bytes", () => {
    expectTypeOf(schema(order)).toExtend<Decoder<unknown, Order>>();
    expectTypeOf(schema(order)).toExtend<
      Decoder<{ id: string; at: string; more: number }, Order>
    >();
    expectTypeOf(schema(order)).toExtend<Decoder<Record<string, unknown>, Order>>();
    expectTypeOf(schema(order)).not.toExtend<Decoder<Uint8Array, Order>>();
    expectTypeOf(json(order)).not.toExtend<Decoder<number, Order>>();
  });
});
