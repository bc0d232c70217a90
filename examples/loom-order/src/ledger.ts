import { appendFileSync, readFileSync } from "node:fs";
import type { ActivityContext } from "@perdure/core";

/** One line of the ledger: an activity was executed, for the first time or again. */
export interface Execution {
  readonly runId: string;
  readonly activity: string;
  readonly input: unknown;
  readonly attempt: number;
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
    const { runId, name, attempt, idempotencyKey, logger } = context;
    append({ runId, activity: name, input, attempt, idempotencyKey });
    const what = `${runId}: ${name} ${Object.values(input).join(" ")}`;
    try {
      const output = await execute(input, context);
      logger.info(attempt === 1 ? what : `${what}, at attempt ${attempt}`);
      return output;
    } catch (error) {
      logger.warn(`${what} failed at attempt ${attempt}: ${(error as Error).message}`);
      throw error;
    }
  };
}

/** Without a file to write to, nothing is kept. */
function append(execution: Execution): void {
  const file = process.env["ORDER_LEDGER"];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(execution)}\n`);
}

/** All executions, oldest first. */
export function readLedger(file: string): readonly Execution[] {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Execution);
}
