import { UsageError } from "../errors/index.ts";

/**
 * Answers the text if it can stand in storage.
 * @param what says what it is, with its article: `name of a workflow`
 * @throws UsageError `invalid-argument` otherwise.
 */
export function requireName(name: unknown, what: string): string {
  if (
    typeof name === "string" &&
    name !== "" &&
    Buffer.byteLength(name) <= 255 &&
    name.isWellFormed() &&
    !name.includes("\0")
  ) {
    return name;
  }
  throw new UsageError(
    "invalid-argument",
    `The ${what} must be a text of 1 to 255 UTF-8 bytes without NUL, not ${typeof name === "string" ? JSON.stringify(name.slice(0, 80)) : typeof name}. Give it a short explicit one.`,
  );
}
