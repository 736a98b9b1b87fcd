/** One statement, as `pg` takes it. A statement with a name is prepared once per connection. */
export interface Statement {
  readonly name?: string | undefined;
  readonly text: string;
  // Not readonly: the clients' own types want to be free to change it.
  values?: unknown[] | undefined;
}

/** What a statement gave: `pg` counts rows in `rowCount`, PGlite in `affectedRows`. */
export interface QueryResult {
  // oxlint-disable-next-line typescript/no-explicit-any -- rows are what the client's types say, mostly any
  readonly rows: any[];
  readonly rowCount?: number | null | undefined;
  readonly affectedRows?: number | undefined;
}

/** The part of a connection we need; a `Client` of `pg` has it. Its transactions are made one after the other. */
export interface PostgresClient {
  query(statement: Statement): PromiseLike<QueryResult>;
  /** Closes it, if it is one that is given to us alone. */
  end?(): unknown;
  on?(event: "error", listener: (error: Error) => void): unknown;
}

/** A connection taken from a pool. */
export interface PostgresConnection extends PostgresClient {
  /** Gives it back; `true` closes it. */
  release(destroy?: boolean): void;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  on(
    event: "notification",
    listener: (message: { readonly payload?: string | undefined }) => void,
  ): unknown;
  removeListener(event: "error", listener: (error: Error) => void): unknown;
}

/** The part of a pool we need; a `Pool` of `pg` has it. */
export interface PostgresPool<Connection extends PostgresConnection = PostgresConnection> {
  readonly totalCount: number;
  readonly options?: { readonly max?: number | undefined } | undefined;
  connect(): PromiseLike<Connection>;
  on(event: "error", listener: (error: Error) => void): unknown;
  /** A connection was made; called before it is given to anybody. */
  on(event: "connect", listener: (connection: PostgresConnection) => void): unknown;
}

/** The part of a PGlite transaction we need. */
export interface PgliteTransaction {
  query(text: string, values?: unknown[]): PromiseLike<QueryResult>;
  exec(text: string): PromiseLike<unknown>;
}

/** The part of a PGlite database we need. */
export interface PgliteClient<
  Transaction extends PgliteTransaction = PgliteTransaction,
> extends PgliteTransaction {
  transaction<Result>(work: (tx: Transaction) => Promise<Result>): PromiseLike<Result>;
}

/** Whatever reaches a database: a pool, which outlives lost connections and is what to use; a single connection; PGlite. */
export type PostgresTarget = PostgresPool | PostgresClient | PgliteClient;

/** What runs statements in a transaction that somebody else has begun. */
export type PostgresTransaction = PostgresClient | PgliteTransaction;

/** Runs a statement the way its client wants it. */
export function execute(
  client: PostgresTransaction,
  statement: Statement,
): PromiseLike<QueryResult> {
  if (!("exec" in client)) return client.query(statement);
  return client.query(statement.text, statement.values);
}
