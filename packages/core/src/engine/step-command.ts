import type { WorkflowContext } from "../define/context.ts";
import type { AnyStep } from "../define/step.ts";
import type { CommandLog } from "./command-log.ts";

/** Runs steps in their order. Where one begins and ends is recorded with the next commit: it costs none of its own. */
export async function runSteps(
  log: CommandLog,
  steps: readonly AnyStep[],
  context: WorkflowContext,
  input: unknown,
): Promise<void> {
  for (const { name, run } of steps) {
    mark(log, "STEP_STARTED", name);
    await run(context, input);
    mark(log, "STEP_COMPLETED", name);
  }
}

function mark(log: CommandLog, type: "STEP_STARTED" | "STEP_COMPLETED", step: string): void {
  const { command, recorded } = log.askNow([type], step);
  if (recorded === undefined) log.record(type, command, { step });
}
