/** A row that the table does not take; nothing of its batch was written. Its message never contains values. */
export class RowError extends TypeError {
  override readonly name = "RowError";
  /** Which row of the batch, from 0. */
  readonly row: number;
  /** The column that does not fit, if it is known. */
  readonly column: string | undefined;

  constructor(row: number, column: string | undefined, problem: string, options?: ErrorOptions) {
    super(
      `Row ${row}${column === undefined ? "" : `: column ${JSON.stringify(column)}`} ${problem}`,
      options,
    );
    this.row = row;
    this.column = column;
  }
}
