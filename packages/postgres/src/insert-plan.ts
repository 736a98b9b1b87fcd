import { createHash } from "node:crypto";
import type { QueryResult, Statement } from "./client.ts";
import type { Column, Table } from "./catalogue.ts";
import { quote } from "./quote.ts";
import { arrayText, ENCODERS } from "./encode.ts";
import { RowError } from "./row-error.ts";
import type { BatchInsertOptions } from "./options.ts";

/** A row as the server reads it: text for each column. */
export type EncodedRow = readonly (string | null)[];

/** Tells rows that were inserted from those that were there. */
const INSERTED = "westend_inserted";

/** The one statement of a sink, the same for any number of rows: each column is a parameter, an array. */
export class InsertPlan {
  readonly text: string;
  readonly #columns: readonly Column[];
  readonly #name: string | undefined;
  readonly #returns: boolean;
  /** Where in a row the key is; empty if rows of one key need not be told apart. */
  readonly #key: readonly number[];

  constructor(table: Table, options: BatchInsertOptions) {
    const { columns } = table;
    const { onConflict, key = [], returning = [], prepare = true } = options;
    const names = columns.map(({ name }) => name);
    const set = names.filter((name) => !key.includes(name));
    const updates = onConflict === "replace" && set.length > 0;
    this.#columns = columns;
    this.#returns = returning.length > 0;
    this.#key = updates ? key.map((name) => names.indexOf(name)) : [];
    this.text = [
      `insert into ${table.name} as w (${names.map(quote).join(", ")})`,
      `select ${columns.map(selected).join(", ")} from unnest(${columns.map(parameter).join(", ")})`,
      `as r(${columns.map((_, index) => `c${index}`).join(", ")})`,
      ...(onConflict === undefined ? [] : [conflict(key, updates ? set : [])]),
      ...returned(returning, updates ? [`${isNew(table, key)} as ${INSERTED}`] : []),
    ].join(" ");
    this.#name = prepare ? nameOf(this.text) : undefined;
  }

  /** @throws RowError if the row cannot fit the table. */
  encode(row: unknown, index: number): EncodedRow {
    if (typeof row !== "object" || row === null) {
      throw new RowError("is no object", { row: index });
    }
    return this.#columns.map((column) => {
      const text = textOf(row, column);
      if (typeof text !== "object" || text === null) return text;
      throw new RowError(text.problem, { row: index, column: column.name });
    });
  }

  statement(rows: readonly EncodedRow[]): Statement {
    const values = this.#columns.map((column, at) =>
      arrayText(
        rows.map((row) => row[at] ?? null),
        !column.isArray && ENCODERS[column.element].bare,
      ),
    );
    return { name: this.#name, text: this.text, values };
  }

  /**
   * One row for each key, the last: a statement can overwrite a row only once. In the order of their keys, so that batches written
   * at the same time lock them in the same order.
   */
  distinct(rows: readonly EncodedRow[]): readonly EncodedRow[] {
    if (this.#key.length === 0) return rows;
    const latest = new Map<string, EncodedRow>();
    for (const row of rows) latest.set(JSON.stringify(this.#key.map((at) => row[at])), row);
    return [...latest].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row);
  }

  /** How many rows were new. */
  inserted({ rows, rowCount, affectedRows }: QueryResult): number {
    if (this.#key.length === 0) return rowCount ?? affectedRows ?? 0;
    return rows.filter((row) => row[INSERTED] === true).length;
  }

  /** The rows as `returning` wants them. */
  returned({ rows }: QueryResult): readonly Readonly<Record<string, unknown>>[] {
    if (!this.#returns) return [];
    for (const row of rows) delete row[INSERTED];
    return rows;
  }
}

interface Problem {
  readonly problem: string;
}

/** The text of what a row has for a column; or what is wrong with it, without the value. */
function textOf(row: object, column: Column): string | null | Problem {
  try {
    return encodeValue(valueOf(row, column.name), column);
  } catch {
    return { problem: "cannot be read: something of it throws" };
  }
}

/** Members of its class are a row's, too; those that every object has, `constructor` say, are not. */
function valueOf(row: object, name: string): unknown {
  const isOfAll = name in Object.prototype && !Object.hasOwn(row, name);
  return isOfAll ? undefined : (row as Record<string, unknown>)[name];
}

function encodeValue(value: unknown, column: Column): string | null | Problem {
  const { element, isArray, isNullable } = column;
  const encoder = ENCODERS[element];
  if (value === null || value === undefined) {
    return isNullable ? null : { problem: `is required, got ${String(value)}` };
  }
  if (!isArray) return encoder.encode(value) ?? { problem: mismatch(encoder.takes, value) };
  if (!Array.isArray(value)) return { problem: mismatch("an array", value) };
  const elements: (string | null)[] = [];
  for (const each of value as unknown[]) {
    const text = each === null ? null : encoder.encode(each);
    if (text === undefined) return { problem: mismatch(`an array of ${encoder.takes}`, each) };
    elements.push(text);
  }
  return arrayText(elements, encoder.bare);
}

function mismatch(takes: string, value: unknown): string {
  const got = value instanceof Uint8Array ? "bytes" : typeof value;
  return `takes ${takes}, got ${got === "number" ? "another number" : got}`;
}

/** An array of arrays would be taken for one array of all their elements: its elements are given as text. */
const parameter = (column: Column, index: number): string =>
  `$${index + 1}::${column.isArray ? "text" : column.type}[]`;

const selected = (column: Column, index: number): string =>
  column.isArray ? `c${index}::${column.type}` : `c${index}`;

function conflict(key: readonly string[], set: readonly string[]): string {
  const target = key.length === 0 ? "" : ` (${key.map(quote).join(", ")})`;
  if (set.length === 0) return `on conflict${target} do nothing`;
  const updates = set.map((name) => `${quote(name)} = excluded.${quote(name)}`);
  return `on conflict${target} do update set ${updates.join(", ")}`;
}

/** What an insert makes has no transaction that ended it. Where rows do not say, one is new if there was none when the statement began. */
function isNew({ name, isPlain }: Table, key: readonly string[]): string {
  if (isPlain) return "w.xmax = 0";
  const same = key.map((column) => `o.${quote(column)} = w.${quote(column)}`);
  return `not exists (select from ${name} o where ${same.join(" and ")})`;
}

function returned(names: readonly string[], flag: readonly string[]): string[] {
  const list = [...names.map((name) => `w.${quote(name)}`), ...flag];
  return list.length === 0 ? [] : [`returning ${list.join(", ")}`];
}

/** Postgres cuts names at 63 bytes. */
function nameOf(text: string): string {
  return `westend_${createHash("sha256").update(text).digest("hex").slice(0, 32)}`;
}
