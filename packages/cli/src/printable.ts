/** Characters of foreign text that are shown at most. */
const LIMIT = 256;

/** Foreign text as it may reach a terminal or a log: one line without control characters, and not too long. */
export function printable(text: string, limit: number = LIMIT): string {
  const clean = text
    .replace(ESCAPES, "")
    .replace(/[\s\p{Cc}\p{Cf}]+/gu, " ")
    .trim();
  // No half of a surrogate pair may be left at the end.
  return clean.length <= limit
    ? clean
    : `${clean.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** The same for text whose lines matter. */
export function printableLines(text: string): string {
  return text
    .split("\n")
    .slice(0, 100)
    .map((line) => line.slice(0, /^ */.exec(line)?.[0].length) + printable(line))
    .join("\n");
}

/** Terminal sequences as a whole: without their first character the rest of them would be shown. */
const ESCAPES =
  // oxlint-disable-next-line no-control-regex
  /[\u001b\u009b](?:\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\[?[0-9;:?<=>]*[ -/]*[@-~])/g;
