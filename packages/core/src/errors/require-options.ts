import { UsageError } from "./usage-error.ts";

/**
 * Refuses options that are no object, and names that nobody would look at: a misspelt `idempotencyKey` must not be silent.
 *
 * @param of whose options they are, such as `client.start`
 * @param known every option that there is; the type has the compiler miss a new one
 * @throws UsageError `invalid-argument`
 */
export function requireOptions<Options extends object>(
  options: Options,
  of: string,
  known: Readonly<Record<keyof Options, true>>,
): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw refused(of, known, `takes its options as an object, not as ${described(options)}`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && !Object.hasOwn(known, name)) throw refused(of, known, `has no option "${name}"`);
  }
}

function refused(of: string, known: object, what: string): UsageError {
  return new UsageError("invalid-argument", `${of} ${what}. Its options are ${Object.keys(known).join(", ")}.`, {
    details: { what: `options of ${of}` },
  });
}

function described(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return value === null || value === undefined ? String(value) : `a ${typeof value}`;
}
