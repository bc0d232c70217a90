/**
 * A schema that follows the Standard Schema specification, version 1 (https://standardschema.dev): zod, valibot, arktype
 * and others. Only its types stand here; no validation library is needed.
 */
export interface Schema<Input = unknown, Output = Input> {
  readonly "~standard": SchemaProperties<Input, Output>;
}

/** What a schema offers under its `~standard` key. */
interface SchemaProperties<Input = unknown, Output = Input> {
  readonly version: 1;
  /** The library that made the schema. */
  readonly vendor: string;
  /** Checks any value; may answer later. */
  readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
  /** Exists for inference alone; never read at run time. */
  readonly types?: { readonly input: Input; readonly output: Output } | undefined;
}

/** Either the checked, possibly converted value, or what is wrong with it. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One thing that is wrong with a value. */
export interface SchemaIssue {
  readonly message: string;
  /** Keys from the value down to the culprit. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What may be handed to a schema. */
export type InferInput<S extends Schema> = NonNullable<S["~standard"]["types"]>["input"];

/** What a schema answers with. */
export type InferOutput<S extends Schema> = NonNullable<S["~standard"]["types"]>["output"];
