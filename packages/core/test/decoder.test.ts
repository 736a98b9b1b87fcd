import { type } from "arktype";
import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, expectTypeOf, it } from "vitest";
import * as z from "zod";
import { type Decoder, json, schema, text } from "../src/decoder.ts";
import { ConfigurationError, DecodeError } from "../src/errors.ts";
import type { StandardSchemaV1 } from "../src/standard-schema.ts";
import { bytes, outcome, refusal } from "./support/decode-refusals.ts";

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
    ["", "the payload is not JSON: it is empty"],
    [new Uint8Array(), "the payload is not JSON: it is empty"],
    [null, /^the payload is null.*tombstone/],
    [undefined, /^the payload is undefined/],
    [12, "the payload is neither a string nor bytes, its type is number"],
    [new ArrayBuffer(2), "the payload is neither a string nor bytes, its type is object"],
    [new Uint8Array([0x22, 0xff, 0x22]), "the payload is not valid UTF-8"],
  ])("says in plain words what is wrong with %o", (payload, message) => {
    expect(refusal(() => json().decode(payload as string)).message).toMatch(message);
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
