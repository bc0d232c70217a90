import { formatPath } from "../model/path.ts";
import type { InferOutput, Schema, SchemaIssue, SchemaResult } from "../model/schema.ts";
import { UsageError } from "./usage-error.ts";

const listedIssues = 5;

/** An issue as `details.issues` of the error holds it. */
interface ValidationIssue {
  /** Such as `$.items[3].price`. */
  readonly path: string;
  readonly message: string;
}

/**
 * Checks a value and answers with what the schema made of it; a promise only if the schema answers with one.
 *
 * @param what names the value in the message, such as `input of workflow "order"`
 * @throws UsageError `invalid-input` (or rejects with it), with the schema's issues in `details.issues`; also when the
 * schema itself throws, with that error as the cause
 */
export function validateWith<S extends Schema>(
  schema: S,
  value: unknown,
  what: string,
): InferOutput<S> | Promise<InferOutput<S>> {
  let result;
  try {
    result = schema["~standard"].validate(value);
  } catch (cause) {
    throw schemaThrew(what, cause);
  }
  if (!isPromise(result)) return accept(result, what);
  return result.then(
    (settled) => accept(settled, what),
    (cause: unknown) => {
      throw schemaThrew(what, cause);
    },
  );
}

/**
 * {@link validateWith} for workflow code, which cannot wait for what is not recorded.
 * @throws UsageError `unsupported` when the schema answers later
 */
export function validateNow<S extends Schema>(schema: S, value: unknown, what: string): InferOutput<S> {
  const result = validateWith(schema, value, what);
  if (!(result instanceof Promise)) return result;
  result.catch(() => {});
  throw new UsageError(
    "unsupported",
    `The schema for the ${what} answers asynchronously, and a workflow cannot wait for it. Use a schema that answers at once.`,
  );
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown }).then === "function";
}

function accept<Output>(result: SchemaResult<Output>, what: string): Output {
  if (result.issues === undefined) return result.value;
  const issues = result.issues.map(toValidationIssue);
  const listed = issues.slice(0, listedIssues).map(({ path, message }) => `${path}: ${message}`);
  if (issues.length > listedIssues) listed.push(`and ${issues.length - listedIssues} more`);
  throw new UsageError(
    "invalid-input",
    `The ${what} is invalid: ${listed.join("; ")}. Correct the value or the schema.`,
    {
      details: { issues },
    },
  );
}

function toValidationIssue(issue: SchemaIssue): ValidationIssue {
  const keys = issue.path?.map((segment) => (typeof segment === "object" ? segment.key : segment)) ?? [];
  return { path: formatPath(keys), message: issue.message };
}

function schemaThrew(what: string, cause: unknown): UsageError {
  return new UsageError(
    "invalid-input",
    `The schema of the ${what} threw an error instead of listing issues. Correct the schema; its error is the cause.`,
    { details: { issues: [] }, cause },
  );
}
