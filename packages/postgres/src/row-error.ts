import { sqlStateOf } from "./retryable.ts";

/** What the server holds against a row. */
interface Details {
  /** Which row of the batch, from 0; undefined if the server did not say. */
  readonly row?: number | undefined;
  /** The column that does not fit, if it is known. */
  readonly column?: string | undefined;
  /** The constraint that it breaks, if it breaks one. */
  readonly constraint?: string | undefined;
  /** The server's code for what is wrong: `23505` for a key that is taken. */
  readonly code?: string | undefined;
}

/** A row that the table does not take. Its message never contains values; those of the server do, so it is not kept as the cause. */
export class RowError extends TypeError {
  override readonly name = "RowError";
  readonly row: number | undefined;
  readonly column: string | undefined;
  readonly constraint: string | undefined;
  readonly code: string | undefined;
  readonly #problem: string;

  constructor(problem: string, details: Details) {
    const { row, column, constraint, code } = details;
    const where = [
      row === undefined ? "The row" : `Row ${row}`,
      ...(column === undefined ? [] : [`column ${JSON.stringify(column)}`]),
    ].join(": ");
    super(`${where} ${problem}`);
    this.row = row;
    this.column = column;
    this.constraint = constraint;
    this.code = code;
    this.#problem = problem;
  }

  /**
   * The same, of a row that has another number in what the user gave.
   * @internal
   */
  at(row: number | undefined): RowError {
    const { column, constraint, code } = this;
    return new RowError(this.#problem, { row, column, constraint, code });
  }
}

/** What the data is to blame for, by SQLSTATE or its class. */
const PROBLEMS: Readonly<Record<string, string>> = {
  "21000": "has the key of another row of its statement",
  "22": "has a value that its column does not take",
  "22001": "has text that is too long for its column",
  "22003": "has a number that is out of the range of its column",
  "22007": "has what is no date or time",
  "22008": "has a date or time out of range",
  "22021": "has text with characters that the database does not have",
  "22P02": "has text that cannot be read as the type of its column",
  "22P05": "has text with characters that the database does not have",
  "23": "breaks a constraint",
  "23502": "has no value for a column that needs one",
  "23503": "refers to a row that is not there",
  "23505": "has a key that is taken",
  "23514": "breaks a check",
  "23P01": "is excluded by another row",
  "44": "is outside of the view that it was written through",
  "54": "has a value that is too large",
  P0: "was refused by a trigger or a function",
};

function problemOf(error: unknown): string | undefined {
  const state = sqlStateOf(error);
  return state === undefined ? undefined : (PROBLEMS[state] ?? PROBLEMS[state.slice(0, 2)]);
}

/** Whether a row is to blame, so that others may be written without it. */
export function isRowFault(error: unknown): boolean {
  return error instanceof RowError || problemOf(error) !== undefined;
}

/** The error to show for a row that the server, or a check of ours, refused. */
export function rowErrorOf(error: unknown, row: number | undefined): RowError {
  if (error instanceof RowError) return error.at(row);
  const { column, constraint } = error as { column?: unknown; constraint?: unknown };
  const named = typeof constraint === "string" ? constraint : undefined;
  const because = named === undefined ? "" : `: ${JSON.stringify(named)}`;
  const code = sqlStateOf(error);
  return new RowError(`${problemOf(error)}${because} (SQLSTATE ${code})`, {
    row,
    column: typeof column === "string" ? column : undefined,
    constraint: named,
    code,
  });
}
