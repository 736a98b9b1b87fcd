import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { json } from "../src/decoder.ts";
import { DecodeError } from "../src/errors.ts";
import { bytes, outcome, refusal } from "./support/decode-refusals.ts";

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
