import { UsageError } from "../errors/index.ts";
import type { Attributes } from "../model/run.ts";
import { requireName } from "./require-name.ts";

/**
 * Answers a copy of the attributes if they can stand in storage.
 * @throws UsageError `invalid-argument` otherwise.
 */
export function requireAttributes(attributes: Attributes): Attributes {
  const entries = Object.entries(attributes);
  for (const [name, value] of entries) {
    requireName(name, "name of a search attribute");
    if (name === "$")
      throw new UsageError("invalid-argument", 'A search attribute cannot be named "$". Choose another name.');
    const storable =
      typeof value === "string"
        ? Buffer.byteLength(value) <= 255 && value.isWellFormed() && !value.includes("\0")
        : typeof value === "boolean" || Number.isFinite(value);
    if (!storable) {
      throw new UsageError(
        "invalid-argument",
        `The search attribute "${name}" must be a boolean, a finite number, or a text of at most 255 UTF-8 bytes. Put larger data into the state.`,
      );
    }
  }
  return Object.fromEntries(entries);
}
