import type { Millis } from "../model/ids.ts";
import { maxInstant } from "../model/instant.ts";
import { refuse } from "./argument.ts";

/** The last run of a page. Its keys never change, so the next page neither repeats nor misses a run (I19). */
export interface RunCursor {
  readonly createdAt: Millis;
  readonly runId: string;
}

/** Writes a cursor as text: opaque to callers, and the same on every backend. */
export function encodeCursor({ createdAt, runId }: RunCursor): string {
  return `r1.${createdAt}.${Buffer.from(runId, "utf8").toString("base64url")}`;
}

/** @throws UsageError `invalid-argument` for a text that {@link encodeCursor} has not made. */
export function decodeCursor(cursor: string): RunCursor {
  const match = /^r1\.([0-9]{1,15})\.([0-9A-Za-z_-]{2,340})$/u.exec(cursor);
  const createdAt = Number(match?.[1]);
  const runId = Buffer.from(match?.[2] ?? "", "base64url").toString("utf8");
  if (match === null || createdAt > maxInstant || encodeCursor({ createdAt, runId }) !== cursor) {
    return refuse("cursor", "the cursor of a page before");
  }
  return { createdAt, runId };
}
