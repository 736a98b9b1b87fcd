import type { DecodeIssue } from "./errors.ts";
import { printable } from "./printable.ts";
import type { StandardIssue } from "./standard-schema.ts";

const MOST_ISSUES = 10;
const LONGEST = 256;
const DEEPEST_PATH = 32;
/** Shorter values are part of too many ordinary words. */
const SHORTEST_SECRET = 4;
const MOST_VALUES = 10_000;
/** Longer messages quote the payload, and would take long to search. */
const LONGEST_SEARCHED = 2_000;

/** What follows these words in messages of valibot and arktype, quoted, is the payload's. */
const QUOTATION = /\b(received|was) (["'`].*|-?\d\S*)/is;

/**
 * A schema's issues as they may be logged: few, short, printable, without values of the payload, with paths of bare keys
 * (valibot's carry the whole payload). Keys stay, as nobody could find the mistake without them.
 */
export function publishIssues(issues: readonly StandardIssue[], input: unknown): DecodeIssue[] {
  const values = valuesOf(input);
  return issues.slice(0, MOST_ISSUES).map(({ message, path }) => ({
    message: shortened(withoutValues(message, values)),
    ...(path !== undefined && { path: path.slice(0, DEEPEST_PATH).map(keyOf) }),
  }));
}

function keyOf(segment: PropertyKey | { readonly key: PropertyKey }): PropertyKey {
  const key = typeof segment === "object" ? segment.key : segment;
  return typeof key === "string" ? shortened(key) : key;
}

function shortened(text: string): string {
  const plain = printable(text.slice(0, 2 * LONGEST), "");
  return plain.length <= LONGEST ? plain : `${plain.slice(0, LONGEST - 1)}…`;
}

function withoutValues(message: string, values: ReadonlySet<string> | undefined): string {
  if (values === undefined || message.length > LONGEST_SEARCHED) return "does not fit";
  let safe = message.replace(QUOTATION, "$1 …");
  for (const value of values) {
    if (value.length <= safe.length && safe.includes(value)) safe = safe.replaceAll(value, "…");
  }
  return safe;
}

/** Every value a message could quote, as it is and as JSON writes it, longest first; undefined if there are too many to look for. */
function valuesOf(input: unknown): Set<string> | undefined {
  const found = new Set<string>();
  const seen = new Set<object>();
  const pending: unknown[] = [input];
  for (let visited = 0; pending.length > 0; visited++) {
    if (visited + pending.length > MOST_VALUES) return undefined;
    const value = pending.pop();
    if (typeof value === "object" && value !== null) {
      if (seen.has(value)) continue;
      seen.add(value);
      for (const child of Object.values(value)) pending.push(child);
    } else if (typeof value === "string") {
      found.add(value).add(value.trim()).add(JSON.stringify(value).slice(1, -1));
    } else if (typeof value === "number" || typeof value === "bigint") found.add(String(value));
  }
  return new Set(
    [...found]
      .filter(({ length }) => length >= SHORTEST_SECRET && length <= LONGEST_SEARCHED)
      .sort((a, b) => b.length - a.length),
  );
}
