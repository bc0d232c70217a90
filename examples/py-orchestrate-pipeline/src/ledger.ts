import { appendFileSync, existsSync, readFileSync } from "node:fs";
import type { ActivityContext } from "@perdure/core";

/** One line of the ledger: a process has begun to execute an activity. */
export interface Execution {
  readonly pid: number;
  /** The activity's name, and its source if it has one. */
  readonly what: string;
  readonly idempotencyKey: string;
}

/**
 * Wraps an activity's code so that each execution leaves its trace: a line in the ledger, and one in the log. The ledger
 * plays the outside world here: what it holds has happened, whatever the workflow's history says.
 */
export function inLedger<Input extends object, Output>(
  execute: (input: Input, context: ActivityContext) => Promise<Output>,
): (input: Input, context: ActivityContext) => Promise<Output> {
  return async (input, context) => {
    const { name, idempotencyKey, logger } = context;
    const what = "source" in input ? `${name} ${String(input.source)}` : name;
    append({ pid: process.pid, what, idempotencyKey });
    logger.info(`${what} …`);
    const output = await execute(input, context);
    logger.info(`${what} done`);
    return output;
  };
}

/** Without a file to write to, nothing is kept. */
function append(execution: Execution): void {
  const file = process.env["PIPELINE_LEDGER"];
  // One small write to a file opened with O_APPEND: lines of several processes do not mix.
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(execution)}\n`);
}

/** All executions, oldest first. */
export function readLedger(file: string): readonly Execution[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Execution);
}
