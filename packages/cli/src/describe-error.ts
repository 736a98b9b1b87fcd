import { printable, printableLines } from "./printable.ts";

/** Errors of one chain that are shown at most. */
const DEPTH = 5;

const NAME = /^[A-Za-z_$][\w$]{0,31}$/;

/** What schemas write of keys and literals; the end may have been cut off. */
const QUOTED = /"(?:[^"\\]|\\.)*(?:"|$)/gs;

/** What may be shown of an error. */
export interface DescribedError {
  readonly name: string;
  readonly code: string | undefined;
  readonly message: string;
}

/** An error and what caused it, outermost first; bounded. */
export function causesOf(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  for (
    let current = error;
    chain.length === 0 ||
    (current !== undefined && !chain.includes(current) && chain.length < DEPTH);
    current = causeOf(current)
  ) {
    chain.push(current);
  }
  return chain;
}

/** One error in words fit for a log. Runs no getters: what is thrown may come from anywhere. */
export function describeError(error: unknown): DescribedError {
  if (typeof error !== "object" || error === null) {
    // A string is meant to be read; anything else may be a payload.
    const what = error === undefined || error === null ? String(error) : `a ${typeof error}`;
    const message = typeof error === "string" ? printable(error) : `${what} was thrown`;
    return { name: "Error", code: undefined, message };
  }
  const code = codeOf(error);
  const issue = code === "WESTEND_ERR_DECODE" ? firstIssueOf(error) : "";
  return {
    name: printable(text(error, "name") ?? "Error"),
    code,
    message: printable(messageOf(error) + issue),
  };
}

/**
 * What does not fit a schema first, and where: nobody finds a mistake without that. Its words have no values of the payload in them, but
 * keys: of those, there and in its path, only what looks like a name is shown, as the keys of a record may be anybody's address.
 */
function firstIssueOf(error: object): string {
  const issues = property(error, "issues");
  const issue: unknown = Array.isArray(issues) ? issues[0] : undefined;
  if (typeof issue !== "object" || issue === null) return "";
  const path = property(issue, "path");
  const keys: unknown[] = Array.isArray(path) ? path : [];
  const names = keys.map((key) => (typeof key === "string" && NAME.test(key) ? key : "*"));
  const words = (text(issue, "message") ?? "does not fit").replace(QUOTED, (quoted) =>
    NAME.test(quoted.slice(1, -1)) ? quoted : '"*"',
  );
  return ` (${names.length === 0 ? "" : `${names.join(".")}: `}${words})`;
}

/** What several attempts to connect have failed with has no message of its own: that of the first one says it. */
function messageOf(error: object): string {
  const cause = causeOf(error);
  const borrowed = typeof cause === "object" && cause !== null ? text(cause, "message") : undefined;
  const without = property(error, "message") === "" ? "without a message" : "an object was thrown";
  return text(error, "message") ?? borrowed ?? without;
}

/** `TypeError [CODE]: message` */
export function errorLine({ name, code, message }: DescribedError): string {
  const head = `${name}${code === undefined ? "" : ` [${code}]`}`;
  return message === "" ? head : `${head}: ${message}`;
}

/** The error on a line, and each of its causes; verbosely with their stacks. */
export function errorText(error: unknown, verbose: boolean): string {
  const causes = causesOf(error);
  const described = causes.map(describeError);
  return described
    .map((each, index) => {
      const own = withoutTail(each, described[index + 1]);
      const line = `${index === 0 ? "" : "  caused by "}${errorLine(own)}`;
      return verbose ? line + stackOf(causes[index]) : line;
    })
    .join("\n");
}

/** The error on one line, with what it comes from in the end, unless it says so itself: `fetch failed` alone helps nobody. */
export function errorSummary(error: unknown): string {
  const [first, ...causes] = causesOf(error).map(describeError);
  const root = causes.at(-1);
  const line = first === undefined ? "" : errorLine(first);
  return root === undefined || line.includes(root.message)
    ? line
    : `${line}, caused by ${errorLine(root)}`;
}

/** Who wraps an error often repeats its message: it is shown with the cause. */
function withoutTail(error: DescribedError, cause: DescribedError | undefined): DescribedError {
  if (cause === undefined) return error;
  if (error.message === cause.message) return { ...error, message: "" };
  const tail = `: ${cause.message}`;
  if (!error.message.endsWith(tail)) return error;
  return { ...error, message: error.message.slice(0, -tail.length) };
}

/** The first of several errors stands for all. */
function causeOf(error: unknown): unknown {
  if (typeof error !== "object" || error === null) return undefined;
  const errors = property(error, "errors");
  return property(error, "cause") ?? (Array.isArray(errors) ? errors[0] : undefined);
}

function codeOf(error: object): string | undefined {
  const code = property(error, "code");
  return typeof code === "string" || typeof code === "number" ? printable(`${code}`) : undefined;
}

function text(error: object, name: string): string | undefined {
  const value = property(error, name);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Without its head, which repeats the message. */
function stackOf(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const start = stack.search(/\n +at /);
  return start < 0 ? "" : printableLines(stack.slice(start));
}

function property(object: object, name: string): unknown {
  for (let owner: object | null = object; owner !== null; owner = Object.getPrototypeOf(owner)) {
    const descriptor = Object.getOwnPropertyDescriptor(owner, name);
    if (descriptor !== undefined) return descriptor.value;
  }
  return undefined;
}
