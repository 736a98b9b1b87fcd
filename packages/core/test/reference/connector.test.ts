import * as westend from "westend";
import * as connector from "westend/connector";
import { describe, expect, it } from "vitest";
import { codesOf, tableRows } from "../support/reference-table.ts";

const rows = tableRows("docs/reference/connector.md");

describe("docs/reference/connector.md", () => {
  it("lists what westend/connector exports, once, and nothing else", () => {
    const listed = rows.map(([name]) => codesOf(name)[0]);
    expect(new Set(listed)).toEqual(new Set(Object.keys(connector)));
    expect(listed.length).toBe(Object.keys(connector).length);
  });
});

describe("westend/connector", () => {
  it("has nothing that westend has", () => {
    expect(Object.keys(connector).filter((name) => name in westend)).toEqual([]);
  });

  it("refuses options with the error that westend exports", () => {
    const refused = (): void => connector.check("poll", 0, connector.func);
    expect(refused).toThrow(westend.ConfigurationError);
  });
});
