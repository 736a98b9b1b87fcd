/**
 * The part of Standard Schema v1 that Westend needs, written down here so that core depends on nothing:
 * schemas of zod, valibot, arktype and others fit it by structure.
 * @see https://standardschema.dev
 */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  readonly "~standard": StandardProperties<Input, Output>;
}

/** What a schema offers under `~standard`. */
export interface StandardProperties<Input = unknown, Output = Input> {
  readonly version: 1;
  /** The library the schema was made with. */
  readonly vendor: string;
  validate(value: unknown): StandardResult<Output> | Promise<StandardResult<Output>>;
  /** Never there at run time; carries the types. */
  readonly types?: { readonly input: Input; readonly output: Output } | undefined;
}

/** What validation yields: the value as the schema makes it, or what is wrong with it. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** One thing that is wrong with a value. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema takes. */
export type InferInput<Schema extends StandardSchemaV1> = NonNullable<
  Schema["~standard"]["types"]
>["input"];

/** What a schema makes of it. */
export type InferOutput<Schema extends StandardSchemaV1> = NonNullable<
  Schema["~standard"]["types"]
>["output"];
