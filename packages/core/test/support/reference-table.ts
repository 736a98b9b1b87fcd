import { readFileSync } from "node:fs";

const root = new URL("../../../../", import.meta.url);

/** Text of a file of the repository. */
export function textOf(path: string): string {
  return readFileSync(new URL(path, root), "utf8");
}

/** Rows of the tables of a page of the docs, cell by cell, without the heads. */
export function tableRows(page: string): string[][] {
  return rowsOf(textOf(page));
}

/** Rows of the tables of a part of a page. */
export function rowsOf(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

/** What is set in code in a cell. */
export function codesOf(cell: string | undefined): string[] {
  return [...(cell ?? "").matchAll(/`([^`]+)`/g)].map(([, code]) => code as string);
}

/** The fields between the braces after `start`, in order; nested braces and comments aside. */
export function fieldsAfter(source: string, start: string): string[] {
  const from = source.indexOf("{", source.indexOf(start) + start.length);
  const body = source.slice(from + 1, source.indexOf("}", from)).replaceAll(/\/\*\*.*?\*\//gs, "");
  return [...body.matchAll(/(\w+)\??:/g)].map(([, field]) => field as string);
}
