import { inspect } from "node:util";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { json, schema } from "../src/decoder.ts";
import type { StandardSchemaV1 } from "../src/standard-schema.ts";
import { bytes, refusal } from "./support/decode-refusals.ts";

const everythingSaid = (error: Error): string =>
  [
    error.message,
    error.stack,
    JSON.stringify(error),
    inspect(error, { depth: 9, showHidden: true }),
  ].join("\n");

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

  it.each([
    ["valibot", v.object({ cvv: v.pipe(v.number(), v.minValue(1000)) })],
    ["arktype", type({ cvv: "number>1000" })],
  ] as [string, StandardSchemaV1][])("hides short numbers that %s quotes", (_, given) => {
    const { issues } = refusal(() => json(given).decode('{"cvv":471}'));
    expect(issues[0]?.message).toMatch(/1000.* …$/);
    expect(issues[0]?.message).not.toContain("471");
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
