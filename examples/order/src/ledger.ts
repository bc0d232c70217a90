import { appendFileSync, readFileSync } from "node:fs";
import type { ActivityContext } from "@perdure/core";

/** One line of the ledger: an activity has begun its effect, or ended it. */
export interface LedgerEntry {
  /** Epoch ms. */
  readonly at: number;
  readonly what: "began" | "ended";
  readonly runId: string;
  readonly activity: string;
  readonly attempt: number;
  readonly idempotencyKey: string;
  readonly pid: number;
}

/** Where the activities of this process leave their traces. Without it they leave none. */
const file = process.env["ORDER_LEDGER"];

/**
 * Wraps an activity's code so that each execution leaves its trace. The ledger plays the outside world here: what it
 * holds has happened, whatever the workflow's history says. It is only ever appended to.
 */
export function inLedger<Input, Output>(
  execute: (input: Input, context: ActivityContext) => Output | Promise<Output>,
): (input: Input, context: ActivityContext) => Promise<Output> {
  return async (input, context) => {
    append("began", context);
    const output = await execute(input, context);
    append("ended", context);
    return output;
  };
}

function append(what: LedgerEntry["what"], { runId, name, attempt, idempotencyKey }: ActivityContext): void {
  if (file === undefined) return;
  const entry: LedgerEntry = { at: Date.now(), what, runId, activity: name, attempt, idempotencyKey, pid: process.pid };
  // One small write to a file opened with O_APPEND: lines of several processes do not mix.
  appendFileSync(file, `${JSON.stringify(entry)}\n`);
}

/** All entries, oldest first. */
export function readLedger(path: string): readonly LedgerEntry[] {
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as LedgerEntry);
}
