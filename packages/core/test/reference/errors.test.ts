import * as westend from "westend";
import { describe, expect, it } from "vitest";
import { codesOf, tableRows, textOf } from "../support/reference-table.ts";

const source = textOf("packages/core/src/errors.ts");
const rows = tableRows("docs/reference/errors.md");

const union = source.slice(source.indexOf("type ErrorCode"), source.indexOf(";"));
const codes = [...union.matchAll(/"(WESTEND_ERR_\w+)"/g)].map(([, code]) => code);
const classes = [
  ...source.matchAll(/class (\w+) extends PipelineError \{\s+declare readonly code: "(\w+)"/g),
].map(([, name, code]) => [code, name]);

describe("docs/reference/errors.md", () => {
  it("lists every code there is, once, with its class, and no other", () => {
    const listed = rows.map(([code, name]) => [codesOf(code)[0], codesOf(name)[0]]);
    expect(listed).toEqual(classes);
    expect(listed.map(([code]) => code)).toEqual(codes);
  });

  it.each(rows.map(([code, , cause, remedy]) => ({ code, cause, remedy })))(
    "gives a cause and a remedy for $code",
    ({ cause, remedy }) => {
      expect(cause?.length).toBeGreaterThan(20);
      expect(remedy?.length).toBeGreaterThan(20);
    },
  );
});

describe("the classes of errors", () => {
  it.each(classes)("of %s is exported, and has that code", (code, name) => {
    const Made = new Map<string, unknown>(Object.entries(westend)).get(
      name as string,
    ) as typeof westend.ConfigurationError;
    expect(new Made("text", []).code).toBe(code);
  });

  it("are not made anywhere without a code", () => {
    expect(classes.length).toBe(codes.length);
    expect(new Set(codes).size).toBe(codes.length);
  });
});
