import { ConfigurationError, type ConfigurationIssue } from "westend";
import type { QueryResult } from "./client.ts";
import { declarationFor, parseType, type Columns, type DeclaredType } from "./column-types.ts";
import type { Run } from "./database.ts";

/** `server_version_num` of the oldest release that has what our statements use. */
const OLDEST = 130_000;

/** A column to fill, as it was declared and as the table has it. */
export interface Column extends DeclaredType {
  readonly name: string;
  /** Its type, as SQL takes it; without a length, which a cast would cut to in silence. */
  readonly type: string;
}

/** A table to be written to. */
export interface Table {
  /** As SQL takes it. */
  readonly name: string;
  /** Those to fill. */
  readonly columns: readonly Column[];
  /** Neither partitioned nor a view: its rows say which transaction wrote them. */
  readonly isPlain: boolean;
}

interface ColumnRow {
  readonly name: string;
  readonly type: string;
  readonly base: string;
  readonly required: boolean;
  readonly generated: boolean;
}

const VERSION =
  "select current_setting('server_version_num')::int as number, current_setting('server_version') as version";
const EXISTS = `select to_regclass($1) is not null as found, current_schemas(false)::text as schemas,
  (select relkind = 'r' from pg_class where oid = to_regclass($1)) as plain`;
const COLUMNS = `select a.attname as name, format_type(a.atttypid, -1) as type,
  format_type(coalesce(nullif(t.typbasetype, 0), t.oid), -1) as base,
  a.attnotnull as required, a.attgenerated <> '' or a.attidentity = 'a' as generated
  from pg_attribute a join pg_type t on t.oid = a.atttypid
  where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped`;

/** @throws ConfigurationError if the server is too old. */
export async function checkVersion(run: Run, subject: string): Promise<void> {
  const { number, version } = only(await run({ text: VERSION })) as {
    number: number;
    version: string;
  };
  if (number >= OLDEST) return;
  throw new ConfigurationError(subject, [
    {
      path: "server",
      expected: `PostgreSQL ${OLDEST / 10_000} or newer`,
      got: version,
      hint: "Upgrade the server",
    },
  ]);
}

/**
 * A table, with those of its columns that were declared.
 * @throws ConfigurationError that lists every column that is not there, or is of another type.
 */
export async function tableOf(
  run: Run,
  subject: string,
  table: string,
  columns: Columns,
): Promise<Table> {
  const { found, schemas, plain } = only(await run({ text: EXISTS, values: [table] })) as {
    found: boolean;
    schemas: string;
    plain: boolean;
  };
  if (!found) {
    throw new ConfigurationError(subject, [
      {
        path: "table",
        expected: "a table of this database",
        got: `${table}, which is not in it`,
        hint: `Create it first, or give its \`schema\`; looked through ${schemas}`,
      },
    ]);
  }
  const { rows } = await run({ text: COLUMNS, values: [table] });
  const stored = rows as ColumnRow[];
  const issues: ConfigurationIssue[] = [];
  const planned = Object.entries(columns).map(([name, declared]) => {
    const row = stored.find((each) => each.name === name);
    // Checked when the sink was defined.
    const type = parseType(declared) as DeclaredType;
    const issue = issueOf(row, declared, type, stored);
    if (issue !== undefined) issues.push({ path: `columns.${name}`, ...issue });
    return { name, type: row?.type ?? "", ...type };
  });
  if (issues.length > 0) throw new ConfigurationError(subject, issues);
  return { name: table, columns: planned, isPlain: plain };
}

function issueOf(
  row: ColumnRow | undefined,
  declared: string,
  type: DeclaredType,
  stored: readonly ColumnRow[],
): Omit<ConfigurationIssue, "path"> | undefined {
  if (row === undefined) {
    const names = stored.map(({ name }) => name).join(", ");
    return { expected: "a column of the table", got: "none of that name", hint: `It has ${names}` };
  }
  if (row.generated) {
    return {
      expected: "a column that can be written",
      got: "one the server generates",
      hint: "Leave it out of `columns`",
    };
  }
  const fitting = declarationFor(row.base);
  if (fitting !== `${type.element}${type.isArray ? "[]" : ""}`) {
    return {
      expected: JSON.stringify(fitting),
      got: JSON.stringify(declared),
      hint: `The column is of type ${row.base}: declare that, or alter the table`,
    };
  }
  if (!row.required || !type.isNullable) return undefined;
  return {
    expected: JSON.stringify(fitting),
    got: JSON.stringify(declared),
    hint: "The column is NOT NULL: declare it without `| null`, or leave it out to have its default",
  };
}

export function only(result: QueryResult): unknown {
  return result.rows[0];
}
