import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../../..");
const text = (path: string): string => readFileSync(join(root, path), "utf8");
const page = text("docs/connectors/sqlite.md");

/** The first cells of tables, which may name several things. */
const listed = new Set(
  page
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .flatMap((line) =>
      [...(line.split("|")[1] ?? "").matchAll(/`(\w+)`/g)].map(([, name]) => name),
    ),
);

describe("the page about SQLite", () => {
  it.each(["options.ts", "sink.ts"])("lists every option in %s", (file) => {
    const bodies = text(`packages/sqlite/src/${file}`).matchAll(
      /export interface \w+Options.*?\{(.*?)^\}/gms,
    );
    const options = [...bodies]
      .flatMap(([, body = ""]) => [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)])
      .map(([, name]) => name);

    expect(options.length).toBeGreaterThan(4);
    expect(options.filter((name) => !listed.has(name))).toEqual([]);
  });
});
