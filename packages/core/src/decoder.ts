import { Buffer, constants, isUtf8 } from "node:buffer";
import { isUint8Array } from "node:util/types";
import { publishIssues } from "./decode-issues.ts";
import { DecodeError } from "./errors.ts";
import { advised, check, type Checker, integer, object, optional, satisfying } from "./options.ts";
import type { Awaitable } from "./producer.ts";
import type {
  InferInput,
  InferOutput,
  StandardResult,
  StandardSchemaV1,
} from "./standard-schema.ts";

/**
 * Turns what a source sends into what handlers work with.
 * An object rather than a function: TypeScript infers nothing from a generic call that returns a function
 * while it looks at the options around it.
 */
export interface Decoder<Payload, Data> {
  readonly name: string;
  /**
   * Gives a promise only if it has to wait.
   * @throws DecodeError if the payload does not fit; that is never retried, anything else thrown is.
   */
  decode(payload: Payload): Awaitable<Data>;
}

export interface TextOptions {
  /**
   * The largest payload taken, in bytes of UTF-8.
   * @defaultValue 1_048_576 (1 MiB)
   */
  readonly maxBytes?: number | undefined;
}

export interface JsonOptions extends TextOptions {
  /**
   * How deep arrays and objects may be nested.
   * @defaultValue 1000
   */
  readonly maxDepth?: number | undefined;
}

// Made when they are needed: a bundle of a pipeline without decoders leaves them out.
const limit = (): Checker => optional(integer({ min: 1, max: constants.MAX_STRING_LENGTH }));
const standardSchema = (): Checker =>
  satisfying(
    "a Standard Schema, of zod, valibot, arktype, …",
    (value) => typeof (value as StandardSchemaV1)["~standard"].validate === "function",
  );

/**
 * JSON as a string or as UTF-8 bytes, checked by any Standard Schema (zod, valibot, arktype, …) if one is given.
 * Refuses keys that pollute prototypes when objects are merged.
 * @throws ConfigurationError if the schema or an option is none.
 */
export function json(
  schema?: undefined,
  options?: JsonOptions,
): Decoder<string | Uint8Array | null, unknown>;
export function json<Schema extends StandardSchemaV1>(
  schema: Schema,
  options?: JsonOptions,
): Decoder<string | Uint8Array | null, InferOutput<Schema>>;
export function json(
  schema?: StandardSchemaV1,
  options: JsonOptions = {},
): Decoder<string | Uint8Array | null, unknown> {
  check("json", options, object<JsonOptions>({ maxBytes: limit(), maxDepth: limit() }));
  const { maxBytes = 2 ** 20, maxDepth = 1000 } = options;

  const parse = (payload: string | Uint8Array | null): unknown => {
    const text = toText(payload, maxBytes);
    if (text.length === 0) throw new DecodeError("the payload is not JSON: it is empty");
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new DecodeError(`the payload is not JSON${positionOf(error)}`);
    }
    if (mayBeTooDeep(text, maxDepth)) {
      walk(value, (_, depth) => {
        if (depth <= maxDepth) return;
        throw new DecodeError(`the payload is nested deeper than maxDepth (${maxDepth})`);
      });
    }
    if (mayPollute(text)) walk(value, refusePollution);
    return value;
  };
  if (schema === undefined) return { name: "json", decode: parse };
  const checker = advised("Options are the second argument.", standardSchema());
  check("json", { schema }, object({ schema: checker }));
  const validate = validatorOf(schema);
  return { name: "json", decode: (payload) => validate(parse(payload)) };
}

/**
 * Text as a string or as UTF-8 bytes; the empty text is a text.
 * @throws ConfigurationError if an option is out of range.
 */
export function text(options: TextOptions = {}): Decoder<string | Uint8Array | null, string> {
  check("text", options, object<TextOptions>({ maxBytes: limit() }));
  const { maxBytes = 2 ** 20 } = options;
  return { name: "text", decode: (payload) => toText(payload, maxBytes) };
}

/**
 * Checks payloads that are values already, such as rows, by any Standard Schema; for strings and bytes there is {@link json}.
 * Whether `null` fits is up to the schema.
 * @throws ConfigurationError if it is given no schema.
 */
export function schema<Schema extends StandardSchemaV1>(
  standard: Schema,
): Decoder<InferInput<Schema>, InferOutput<Schema>> {
  check("schema", { schema: standard }, object({ schema: standardSchema() }));
  return { name: "schema", decode: validatorOf(standard) };
}

function toText(payload: string | Uint8Array | null, maxBytes: number): string {
  if (typeof payload === "string") {
    // A UTF-16 unit makes 3 bytes at most: only long strings have to be counted.
    if (payload.length * 3 > maxBytes) refuseLarger(Buffer.byteLength(payload), maxBytes);
    return payload;
  }
  if (payload === null || payload === undefined) {
    throw new DecodeError(
      `the payload is ${payload}, as where a source marks a deletion (a Kafka tombstone)`,
    );
  }
  if (!Buffer.isBuffer(payload) && !isUint8Array(payload)) {
    throw new DecodeError(
      `the payload is neither a string nor bytes, its type is ${typeof payload}`,
    );
  }
  refuseLarger(payload.byteLength, maxBytes);
  if (!isUtf8(payload)) throw new DecodeError("the payload is not valid UTF-8");
  const { buffer, byteOffset, byteLength } = payload;
  return (
    Buffer.isBuffer(payload) ? payload : Buffer.from(buffer, byteOffset, byteLength)
  ).toString("utf8");
}

function refuseLarger(bytes: number, maxBytes: number): void {
  if (bytes <= maxBytes) return;
  throw new DecodeError(`the payload takes ${bytes} bytes, more than maxBytes (${maxBytes})`);
}

/** V8 puts either a position or a piece of the payload into its message; only the position may be kept. */
function positionOf(error: unknown): string {
  const { message } = error as SyntaxError;
  if (message === "Unexpected end of JSON input") return ": it ends too early";
  const position = /^[^"]* at position (\d+)(?: \(line \d+ column \d+\))?$/.exec(message)?.[1];
  return position === undefined ? "" : `, at position ${position}`;
}

/** Most texts are too short, or have too few brackets, to be nested that deep: a look at the value is seldom needed. */
function mayBeTooDeep(text: string, maxDepth: number): boolean {
  if (text.length < 2 * maxDepth) return false;
  const arrays = countUpTo(maxDepth, text, "[");
  return arrays + countUpTo(maxDepth - arrays, text, "{") > maxDepth;
}

/** Stops counting at one more than `most`. */
function countUpTo(most: number, text: string, character: string): number {
  let count = 0;
  for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, at + 1)) {
    if (++count > most) break;
  }
  return count;
}

/** What both ways to a prototype need. One search by an expression: it skips what cannot be it, and is up to four times faster than `includes`. */
const DANGEROUS = /__proto__|prototype/;

/** Letters of a dangerous name written as escapes, which no honest writer does, are looked into. */
function mayPollute(text: string): boolean {
  if (DANGEROUS.test(text)) {
    if (text.includes("__proto__")) return true;
    if (text.includes("constructor")) return true;
  }
  for (let at = text.indexOf("\\u00"); at !== -1; at = text.indexOf("\\u00", at + 4)) {
    const digit = text.charCodeAt(at + 4);
    if (digit >= 0x35 && digit <= 0x37) return true;
  }
  return false;
}

/**
 * Calls `visit` with every array and object and how deep it is, from 1. Goes level by level, as recursion would overflow the stack.
 * Walking the value is several times faster than scanning its text for brackets outside of strings.
 */
function walk(root: unknown, visit: (value: object, depth: number) => void): void {
  let level: object[] = isContainer(root) ? [root] : [];
  for (let depth = 1; level.length > 0; depth++) {
    const next: object[] = [];
    for (const value of level) {
      visit(value, depth);
      if (Array.isArray(value)) {
        for (const child of value) if (isContainer(child)) next.push(child);
      } else {
        // for-in makes no array of what Object.values would have to copy; what it inherits is left out.
        for (const key in value) {
          const child: unknown = value[key as keyof typeof value];
          if (isContainer(child) && Object.hasOwn(value, key)) next.push(child);
        }
      }
    }
    level = next;
  }
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function refusePollution(value: object): void {
  if (Object.hasOwn(value, "__proto__")) {
    throw new DecodeError('the payload has a key "__proto__", which could pollute prototypes');
  }
  if (!Object.hasOwn(value, "constructor")) return;
  const { constructor } = value as { constructor: unknown };
  if (isContainer(constructor) && Object.hasOwn(constructor, "prototype")) {
    throw new DecodeError(
      'the payload has "constructor.prototype", which could pollute prototypes',
    );
  }
}

function validatorOf<Output>(
  schema: StandardSchemaV1<unknown, Output>,
): (value: unknown) => Awaitable<Output> {
  const standard = schema["~standard"];
  const unwrap = (result: StandardResult<Output>, input: unknown): Output => {
    if (result.issues === undefined) return result.value;
    const count = result.issues.length;
    throw new DecodeError(
      `the payload does not fit its schema: ${count} issue${count === 1 ? "" : "s"}`,
      { issues: publishIssues(result.issues, input) },
    );
  };
  return (input) => {
    const result = standard.validate(input);
    return "then" in result ? result.then((late) => unwrap(late, input)) : unwrap(result, input);
  };
}
