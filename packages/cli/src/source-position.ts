import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { printable } from "./printable.ts";

/** Where in a source text an error is. */
export interface SourcePosition {
  /** Path or URL; undefined if it is the file that was asked about. */
  readonly file: string | undefined;
  readonly line: number;
  readonly column: number | undefined;
  /** The line itself. */
  readonly source: string;
  /** What marks the place under it. */
  readonly marks: string;
}

/** Node puts file, line, source and a row of carets above the stack of errors in a source text. */
export function positionOf(error: unknown): SourcePosition | undefined {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  return positionIn(stack);
}

/** For errors without a place: has Node check the syntax once more. Nothing of the file is run. */
export function positionOfSyntaxError(file: string): SourcePosition | undefined {
  const source = readFileSync(file, "utf8");
  const plain = /\.[cm]?ts$/.test(file) ? withoutTypes(source) : source;
  const position = positionIn(nodeWith(["--check", "--input-type=module", "-"], plain).stderr);
  return position === undefined ? undefined : { ...position, file: undefined };
}

/** The line of source and its marks. */
export function excerptOf({ source, marks }: SourcePosition): readonly string[] {
  if (source.length > 160) return [];
  return ["", `  ${printable(source.replace(/^\s+/, ""))}`, `  ${unindented(source, marks)}`];
}

function positionIn(text: string): SourcePosition | undefined {
  const lines = text.split("\n");
  const [, file, line] =
    /^((?:file:|\/|[A-Za-z]:\\|\[stdin\]).*?):(\d+)$/.exec(lines[0] ?? "") ?? [];
  const at = lines.findIndex((marks) => /^\s*\^+\s*$/.test(marks));
  if (file === undefined || at < 2) return undefined;
  const marks = lines[at] ?? "";
  return {
    file,
    line: Number(line),
    column: marks.indexOf("^") + 1,
    source: lines[at - 1] ?? "",
    marks: marks.trimEnd(),
  };
}

function unindented(source: string, marks: string): string {
  const indent = /^\s*/.exec(source)?.[0].length ?? 0;
  return marks.slice(Math.min(indent, marks.indexOf("^")));
}

const STRIP = `
  import { readFileSync } from "node:fs";
  import { stripTypeScriptTypes } from "node:module";
  process.stdout.write(stripTypeScriptTypes(readFileSync(0, "utf8")));
`;

/** Types are replaced by spaces, so that places stay what they are. By another process, as Node warns of it. */
function withoutTypes(source: string): string {
  const { stdout } = nodeWith(["--no-warnings", "--input-type=module", "--eval", STRIP], source);
  return stdout === "" ? source : stdout;
}

function nodeWith(options: readonly string[], input: string): { stdout: string; stderr: string } {
  const env = { ...process.env, NODE_OPTIONS: "" };
  return spawnSync(process.execPath, options, { input, encoding: "utf8", env });
}
