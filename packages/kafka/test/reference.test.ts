import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../../..");
const text = (path: string): string => readFileSync(join(root, path), "utf8");
const reading = text("docs/connectors/kafka.md");
const pages = reading + text("docs/connectors/kafka-sinks.md");

/** The first cells of tables, without what stands beside the name. */
const listed = new Set([...pages.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name));

describe("the pages about Kafka", () => {
  it("list every option of a source", () => {
    const source = text("packages/kafka/src/options.ts");
    const options = [
      ...source.matchAll(/export interface Kafka(?:Connection)?Options.*?\{(.*?)^\}/gms),
    ]
      .flatMap(([, body = ""]) => [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)])
      .map(([, name]) => name)
      .filter((name) => name !== "driver");
    expect(options.length).toBeGreaterThan(25);
    expect(options.filter((name) => !listed.has(name))).toEqual([]);
  });

  it("list every code of an error", () => {
    const codes = text("packages/kafka/src/errors.ts").match(/(?<=\| ")KAFKA_\w+/g) ?? [];
    expect(codes.length).toBeGreaterThan(10);
    expect(codes.filter((code) => !pages.includes(`\`${code}\``))).toEqual([]);
  });

  it("list every event", () => {
    const folder = join(root, "packages/kafka/src");
    const sources = readdirSync(folder).filter((name) => name.endsWith(".ts"));
    const said = sources.flatMap((name) => [
      ...text(`packages/kafka/src/${name}`).matchAll(/telemetry\("(\w+)"/g),
    ]);
    const events = [...new Set(said.map(([, event]) => event))];
    expect(events.length).toBeGreaterThan(8);
    expect(events.filter((event) => !listed.has(event))).toEqual([]);
  });
});
