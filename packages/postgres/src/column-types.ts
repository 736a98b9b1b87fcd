/** What a column takes, by the name of its type. */
interface Values {
  readonly smallint: number;
  readonly integer: number;
  readonly bigint: number | bigint | string;
  readonly real: number;
  readonly "double precision": number;
  readonly numeric: number | bigint | string;
  readonly boolean: boolean;
  readonly text: string;
  readonly uuid: string;
  readonly bytea: Uint8Array;
  readonly date: Date | string;
  readonly timestamp: Date | string;
  readonly timestamptz: Date | string;
  readonly json: unknown;
  readonly jsonb: unknown;
}

/** Types by the names Postgres has for them. What is not among them, an enum or `inet`, is written as `text`. */
export type ScalarType = keyof Values;

/** A type, or an array of it. */
export type PostgresType = ScalarType | `${ScalarType}[]`;

/** The type of a column, `| null` if it may be left out: `"text | null"`. */
export type ColumnType = PostgresType | `${PostgresType} | null`;

/** Columns by their names. */
export type Columns = Readonly<Record<string, ColumnType>>;

type ValueOf<Type> = Type extends `${infer Element extends ScalarType}[]`
  ? readonly (Values[Element] | null)[]
  : Type extends ScalarType
    ? Values[Type]
    : never;

type Flat<Type> = { readonly [Key in keyof Type]: Type[Key] };

/** The row that fits columns. */
export type RowOf<Of extends Columns> = Flat<
  {
    readonly [Name in keyof Of as Of[Name] extends PostgresType ? Name : never]: ValueOf<Of[Name]>;
  } & {
    readonly [Name in keyof Of as Of[Name] extends PostgresType ? never : Name]?:
      | (Of[Name] extends `${infer Type extends PostgresType} | null` ? ValueOf<Type> : never)
      | null
      | undefined;
  }
>;

/** What Postgres itself calls a type, where that is not the name used here. */
const OWN_NAMES: Readonly<Record<string, ScalarType>> = {
  "timestamp with time zone": "timestamptz",
  "timestamp without time zone": "timestamp",
  "character varying": "text",
  bpchar: "text",
};

export const SCALAR_TYPES: readonly ScalarType[] = [
  "smallint",
  "integer",
  "bigint",
  "real",
  "double precision",
  "numeric",
  "boolean",
  "text",
  "uuid",
  "bytea",
  "date",
  "timestamp",
  "timestamptz",
  "json",
  "jsonb",
];

/** A {@link ColumnType}, taken apart. */
export interface DeclaredType {
  readonly element: ScalarType;
  readonly isArray: boolean;
  readonly isNullable: boolean;
}

const DECLARED = /^(.+?)(\[\])?( \| null)?$/;

/** Undefined if it is none. */
export function parseType(type: string): DeclaredType | undefined {
  const [, element = "", array, nullable] = DECLARED.exec(type) ?? [];
  if (!SCALAR_TYPES.includes(element as ScalarType)) return undefined;
  return {
    element: element as ScalarType,
    isArray: array !== undefined,
    isNullable: nullable !== undefined,
  };
}

/** The type to declare for what Postgres calls `own`, an array of which is `own[]`. */
export function declarationFor(own: string): PostgresType {
  const isArray = own.endsWith("[]");
  const name = isArray ? own.slice(0, -2) : own;
  const known = OWN_NAMES[name] ?? SCALAR_TYPES.find((type) => type === name) ?? "text";
  return isArray ? `${known}[]` : known;
}
