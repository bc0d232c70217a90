import { createHash } from "node:crypto";

/**
 * The first 128 bits of a text's SHA-256, as 32 hexadecimal digits. The same in every version and process: a run's start
 * hash is stored, and compared when somebody starts the same id again.
 */
export function stableHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}
