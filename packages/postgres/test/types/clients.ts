/** What PGlite's declarations say, as far as it concerns us; its package is too heavy to be installed for them. */
interface Results<Row> {
  rows: Row[];
  affectedRows?: number;
  fields: { name: string; dataTypeID: number }[];
}

interface Transaction {
  query<Row>(query: string, params?: any[], options?: object): Promise<Results<Row>>;
  exec(query: string, options?: object): Promise<Results<Record<string, any>>[]>;
  rollback(): Promise<void>;
}

export interface PGliteLike {
  query<Row>(query: string, params?: any[], options?: object): Promise<Results<Row>>;
  exec(query: string, options?: object): Promise<Results<Record<string, any>>[]>;
  transaction<Result>(callback: (tx: Transaction) => Promise<Result>): Promise<Result>;
}
