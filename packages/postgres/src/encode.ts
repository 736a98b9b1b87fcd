import type { ScalarType } from "./column-types.ts";

/** A value as text, the way Postgres reads it; undefined if it is none of the kind. */
type Encode = (value: unknown) => string | undefined;

interface Encoder {
  /** What it takes, in words. */
  readonly takes: string;
  readonly encode: Encode;
  /** Whether its text can stand in an array without quotes. */
  readonly bare?: boolean;
}

const whole = (min: bigint, max: bigint): Encode => {
  const [least, most] = [Number(min), Number(max)];
  return (value) => {
    if (typeof value === "number") {
      return Number.isSafeInteger(value) && value >= least && value <= most
        ? String(value)
        : undefined;
    }
    if (typeof value === "bigint") return value >= min && value <= max ? String(value) : undefined;
    return undefined;
  };
};

const LONG = whole(-(2n ** 63n), 2n ** 63n - 1n);

const bigint: Encode = (value) =>
  typeof value === "string" && /^-?\d{1,19}$/.test(value) ? LONG(BigInt(value)) : LONG(value);

const double: Encode = (value) => (typeof value === "number" ? String(value) : undefined);

const numeric: Encode = (value) => {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : undefined;
  if (typeof value === "bigint") return String(value);
  return typeof value === "string" && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value)
    ? value
    : undefined;
};

const boolean: Encode = (value) => {
  if (typeof value !== "boolean") return undefined;
  return value ? "t" : "f";
};

// Postgres has no NUL in text, and what is not well-formed would be stored as something else.
const text: Encode = (value) =>
  typeof value === "string" && !value.includes("\0") && value.isWellFormed() ? value : undefined;

const bytea: Encode = (value) =>
  value instanceof Uint8Array
    ? `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex")}`
    : undefined;

const date: Encode = (value) => {
  if (!(value instanceof Date)) return text(value);
  return Number.isNaN(value.getTime()) ? undefined : value.toISOString();
};

const json: Encode = (value) => {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
};

const float = { takes: "a number", encode: double, bare: true };
const moment = { takes: "a valid Date or text", encode: date };
const anyJson = { takes: "what JSON can hold", encode: json };

export const ENCODERS: Readonly<Record<ScalarType, Encoder>> = {
  smallint: {
    takes: "a whole number from -32768 to 32767",
    encode: whole(-32_768n, 32_767n),
    bare: true,
  },
  integer: {
    takes: "a whole number of 32 bits",
    encode: whole(-(2n ** 31n), 2n ** 31n - 1n),
    bare: true,
  },
  bigint: {
    takes: "a bigint of 64 bits, a safe integer, or text of digits",
    encode: bigint,
    bare: true,
  },
  real: float,
  "double precision": float,
  numeric: { takes: "a finite number, a bigint or text of digits", encode: numeric, bare: true },
  boolean: { takes: "true or false", encode: boolean, bare: true },
  text: { takes: "text without NUL and halves of surrogate pairs", encode: text },
  uuid: { takes: "text", encode: text },
  bytea: { takes: "bytes", encode: bytea },
  date: moment,
  timestamp: moment,
  timestamptz: moment,
  json: anyJson,
  jsonb: anyJson,
};

/** The text of an array whose elements are given as text; null is NULL. */
export function arrayText(elements: readonly (string | null)[], bare = false): string {
  if (bare) return `{${elements.map((element) => element ?? "NULL").join(",")}}`;
  return `{${elements.map((element) => (element === null ? "NULL" : quoted(element))).join(",")}}`;
}

function quoted(text: string): string {
  const special = text.includes('"') || text.includes("\\");
  return special ? `"${text.replaceAll(/["\\]/g, "\\$&")}"` : `"${text}"`;
}
