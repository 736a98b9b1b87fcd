import { ConfigurationError } from "westend";
import type { SqliteClient, SqliteValue } from "./client.ts";

/** What a column takes, after SQLite's rules of affinity. */
export type ColumnKind = "integer" | "real" | "text" | "blob" | "any";

export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
  /** Neither NULL nor left out. */
  readonly required: boolean;
}

interface ColumnRow {
  readonly name: string;
  readonly type: string;
  readonly notnull: number;
  readonly pk: number;
  readonly hidden: number;
}

/** A name as SQL takes it, whatever is in it. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * The columns of a table: those named, or all.
 * @throws ConfigurationError if the table or a column is not there.
 */
export function columnsOf(
  client: SqliteClient,
  table: string,
  names: readonly string[] | undefined,
): Column[] {
  const rows = client.prepare("SELECT * FROM pragma_table_xinfo(?)").all(table) as ColumnRow[];
  if (rows.length === 0) throw missing("table", "a table of this database", table);
  const stored = rows.filter(({ hidden }) => hidden === 0);
  const wanted = names ?? stored.map(({ name }) => name);
  return wanted.map((name) => {
    const row = stored.find((each) => each.name === name);
    if (row === undefined) throw missing("columns", `columns of the table ${table}`, name);
    // An INTEGER PRIMARY KEY is given by SQLite if it is left out.
    const generated = row.pk > 0 && /^integer$/i.test(row.type);
    return { name, kind: kindOf(row.type), required: row.notnull === 1 && !generated };
  });
}

function missing(path: string, expected: string, got: string): ConfigurationError {
  return new ConfigurationError("batchInsert", [{ path, expected, got: JSON.stringify(got) }]);
}

/** SQLite's own rules: https://sqlite.org/datatype3.html#determination_of_column_affinity */
function kindOf(type: string): ColumnKind {
  if (/int/i.test(type)) return "integer";
  if (/char|clob|text/i.test(type)) return "text";
  if (/blob/i.test(type)) return "blob";
  if (/real|floa|doub/i.test(type)) return "real";
  return "any";
}

interface Fit {
  readonly takes: string;
  accepts(value: unknown): boolean;
}

/** Half of a surrogate pair would be stored as another character, and a key with one found by another key. */
const isText = (value: unknown): boolean => typeof value === "string" && value.isWellFormed();
const isBytes = (value: unknown): boolean => value instanceof Uint8Array;
/** SQLite has integers of 64 bits. */
const isLong = (value: unknown): boolean =>
  typeof value === "bigint" && BigInt.asIntN(64, value) === value;
const isWhole = (value: unknown): boolean => isLong(value) || Number.isSafeInteger(value);

const FITS: Readonly<Record<ColumnKind, Fit>> = {
  integer: { takes: "whole numbers of 64 bits", accepts: isWhole },
  real: { takes: "finite numbers", accepts: Number.isFinite },
  text: { takes: "text", accepts: isText },
  blob: { takes: "bytes", accepts: isBytes },
  any: {
    takes: "text, bytes, finite numbers or bigints of 64 bits",
    accepts: (value) => isText(value) || isBytes(value) || isLong(value) || Number.isFinite(value),
  },
};

/** Why a value does not belong into a column, without the value; undefined if it does. */
export function mismatch(value: unknown, column: Column): string | undefined {
  if (value === null || value === undefined) {
    return column.required ? `is required, got ${String(value)}` : undefined;
  }
  const { takes, accepts } = FITS[column.kind];
  if (accepts(value)) return undefined;
  return `takes ${takes}, got ${kindOfValue(value)}`;
}

function kindOfValue(value: unknown): string {
  if (isBytes(value)) return "bytes";
  if (typeof value === "number") return "another number";
  if (typeof value === "string" && !isText(value)) return "half of a surrogate pair";
  return typeof value === "bigint" && !isLong(value) ? "a longer bigint" : typeof value;
}

/** The value to bind; a column that is left out is NULL. */
export function bindable(value: unknown): SqliteValue {
  return (value ?? null) as SqliteValue;
}
