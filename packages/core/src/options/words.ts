import { printable } from "../printable.ts";
import { look, unreadable } from "./look.ts";

const UNREADABLE = "something unreadable";

/** Longer strings are more likely content than a mistyped option. */
const LONGEST_SHOWN = 40;

const SECRET =
  /pass|pwd|token|secret|sasl|credential|auth|cert|pem$|pfx|private|signature|(?:^|[a-z_-])key(?:id|s|file)?$/i;

/** Connection strings, which carry a user and a password in front of the host or as parameters. */
const CARRIES_SECRET = /:\/\/[^/]*@|(?:pass(?:word)?|pwd|secret|token|key)\s*[=:]/i;

/** Objects of which the name of the class says more than that they are objects. */
const KINDS = [Promise, Map, Set, Date, Uint8Array];

/** Whether what is under this key may not be shown. */
export function isSecretKey(key: string): boolean {
  return SECRET.test(key);
}

/** A value in the words of a message: short ones as they are, of long and of secret ones only what they are. Never throws. */
export function describeValue(value: unknown, secret = false): string {
  return look(() => describe(value, secret), UNREADABLE);
}

function describe(value: unknown, secret: boolean): string {
  if (value === unreadable) return UNREADABLE;
  if (value === undefined || value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") {
    return secret || value.length > LONGEST_SHOWN || CARRIES_SECRET.test(value)
      ? `a string of length ${value.length}`
      : `"${printable(value, "\u{fffd}")}"`;
  }
  if (typeof value === "number") return secret ? "a number" : String(value);
  return typeof value === "object" ? describeObject(value) : `a ${typeof value}`;
}

function describeObject(value: object): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const kind = KINDS.find((one) => value instanceof one);
  return kind === undefined ? "an object" : `a ${kind.name}`;
}

/** What went wrong, without showing what may be secret. */
export function describeCause(cause: unknown): string {
  return cause instanceof Error ? cause.message : describeValue(cause, true);
}

/** The path of a key below a path, as code would write it. */
export function pathTo(path: string, key: string): string {
  if (!/^[A-Za-z_$][\w$-]*$/.test(key)) return `${path}[${describeValue(key)}]`;
  const name = key.length > LONGEST_SHOWN ? `${key.slice(0, LONGEST_SHOWN)}…` : key;
  return path === "" ? name : `${path}.${name}`;
}

/** The name most like the one given, whatever its case, or one that is part of it; undefined if there is none. */
export function suggestionFor(name: string, known: readonly string[]): string | undefined {
  if (name.length > LONGEST_SHOWN) return undefined;
  const plain = name.toLowerCase();
  let best: string | undefined;
  let least = Math.max(name.length <= 3 ? 1 : 2, Math.floor(plain.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(plain, candidate.toLowerCase());
    // At a distance of its whole length, nothing of a name is left.
    if (distance < least && distance < candidate.length) [best, least] = [candidate, distance];
  }
  // People bring `batchSize` and `handle_message` along from elsewhere.
  return best ?? known.find((candidate) => plain.includes(candidate.toLowerCase()));
}

/** Levenshtein's: how many characters have to be put in, taken out or replaced. */
function editDistance(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = above[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, above[column]! + 1, current[column - 1]! + 1));
    }
    above = current;
  }
  return above[to.length]!;
}
