import type { Schema } from "../src/index.ts";

/** A schema of these types, for tests of types. */
export function schema<Input, Output = Input>(): Schema<Input, Output> {
  return null as never;
}
