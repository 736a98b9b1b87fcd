import { describe, expect, it } from "vitest";
import { codesOf, rowsOf, textOf } from "../support/reference-table.ts";

const page = textOf("docs/reference/pipeline.md");

/** The names in the first cells of a section's table. */
function listed(heading: string): string[] {
  const [, section = ""] = page.split(`\n${heading}\n`);
  const rows = rowsOf(section.split(/^##/m)[0] ?? "");
  return rows.flatMap(([names]) => codesOf(names));
}

/** The properties of an interface, in order. */
function properties(file: string, name: string): string[] {
  const source = textOf(`packages/core/src/${file}`);
  const start = source.search(new RegExp(`^export interface ${name}\\b`, "m"));
  const body = source.slice(start, source.indexOf("\n}", start));
  const names = [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[:(]/gm)];
  return [...new Set(names.map(([, property]) => property as string))];
}

describe("docs/reference/pipeline.md", () => {
  it.each([
    ["## Options", "definition.ts", "PipelineOptions"],
    ["## Sources", "definition.ts", "SourceOptions"],
    ["## Processor", "definition.ts", "ProcessorOptions"],
    ["## Batchers", "definition.ts", "BatcherOptions"],
    ["## Retry", "failure.ts", "RetryOptions"],
    ["## Rate limit", "rate-limit.ts", "RateLimit"],
    ["## Start", "running-pipeline.ts", "StartOptions"],
    ["## Running", "running-pipeline.ts", "RunningPipeline"],
    ["## Report", "report.ts", "StopReport"],
    ["## Figures", "report.ts", "PipelineStats"],
    ["### Of a source", "report.ts", "ProducerStats"],
    ["### Of the processor", "report.ts", "ProcessorStats"],
    ["### Of a batcher", "report.ts", "BatcherStats"],
  ])("lists in %s what the types have, in their order", (heading, file, name) => {
    const names = properties(file, name);

    expect(names).not.toEqual([]);
    expect(listed(heading)).toEqual(names);
  });
});
