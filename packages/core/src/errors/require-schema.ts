import type { Schema } from "../model/schema.ts";
import { UsageError } from "./usage-error.ts";

/**
 * Answers the schema; `null` for none.
 * @param what names it in the message, such as `input of workflow "order"`
 * @throws UsageError `invalid-argument` for what is no Standard Schema
 */
export function requireSchema<S extends Schema>(schema: S | undefined, what: string): S | null {
  if (schema === undefined) return null;
  if (typeof (schema as Partial<S> | null)?.["~standard"]?.validate === "function") return schema;
  throw new UsageError(
    "invalid-argument",
    `The ${what} must be a Standard Schema, as zod, valibot and arktype make them. Pass one, or leave it out.`,
    { details: { what } },
  );
}
