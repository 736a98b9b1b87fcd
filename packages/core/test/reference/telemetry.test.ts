import { describe, expect, it } from "vitest";
import { batchChannel, handleChannel } from "../../src/telemetry.ts";
import { codesOf, fieldsAfter, tableRows, textOf } from "../support/reference-table.ts";
import { TELEMETRY_NAMES } from "../support/telemetry-names.ts";

const source = textOf("packages/core/src/telemetry.ts");
const rows = tableRows("docs/reference/telemetry.md");
const row = (name: string): string[] | undefined =>
  rows.find(([cell]) => codesOf(cell)[0] === name);

describe("docs/reference/telemetry.md", () => {
  it("lists every channel there is, once, in the order of the code, and no other", () => {
    const listed = rows.map(([name]) => codesOf(name)[0]).filter((name) => name?.split(":")[2]);
    expect(listed).toEqual(TELEMETRY_NAMES);
  });

  it.each(TELEMETRY_NAMES)("gives the fields of %s, and says when it is published", (name) => {
    const [, fields, published] = row(name) ?? [];
    expect(codesOf(fields)).toEqual(fieldsAfter(source, `"${name}":`));
    expect(published).not.toBe("");
  });

  it.each([
    ["westend:handle", handleChannel, "interface HandleContext"],
    ["westend:batch", batchChannel, "interface BatchContext"],
  ])("gives the fields of the tracing channel %s", (name, channel, context) => {
    const [, fields, around] = row(name) ?? [];
    expect(codesOf(fields)).toEqual(fieldsAfter(source, context));
    expect(around).not.toBe("");
    expect(channel.start.name).toBe(`tracing:${name}:start`);
  });

  it("lists two tracing channels, and no other", () => {
    expect(rows).toHaveLength(TELEMETRY_NAMES.length + 2);
  });
});

describe("the names of the channels", () => {
  it("are those the types know", () => {
    const events = source.slice(
      source.indexOf("interface TelemetryEvents"),
      source.indexOf("interface HandleContext"),
    );
    const typed = [...events.matchAll(/^ {2}"([^"]+)":/gm)].map(([, name]) => name);
    expect(TELEMETRY_NAMES).toEqual(typed);
  });
});
