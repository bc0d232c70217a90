import { DeterminismError, UsageError } from "../errors/index.ts";
import type { WorkflowEvent } from "../model/event.ts";
import type { RunHeader } from "../model/run.ts";
import { commandName } from "./command-name.ts";

const REMEDY =
  "Workflow code must ask for the same things in the same order in every replay: deploy the code that this run was started with, or terminate the run.";

/** History has one thing at a command's place and the code asked for another. */
export function differentCommand(run: RunHeader, recorded: WorkflowEvent, asked: string): DeterminismError {
  return new DeterminismError(
    "determinism",
    `Run "${run.runId}" of workflow "${run.workflow}": at seq ${recorded.seq} history has ${describe(recorded)} as command ${recorded.command}, but the code asked for ${asked}. ${REMEDY}`,
    { details: { runId: run.runId, seq: recorded.seq, command: recorded.command, recorded: recorded.type, asked } },
  );
}

/** The code asked for something that history would have, since it has what came after. */
export function unrecordedCommand(
  run: RunHeader,
  command: number,
  event: { readonly type: string; readonly data: object },
): DeterminismError {
  const asked = describe(event as WorkflowEvent);
  return new DeterminismError(
    "determinism",
    `Run "${run.runId}" of workflow "${run.workflow}": history has nothing as command ${command}, but the code asked for ${asked}. ${REMEDY}`,
    { details: { runId: run.runId, command, asked } },
  );
}

/** History has a command that the code did not ask for. */
export function missingCommand(run: RunHeader, recorded: WorkflowEvent, ended: boolean): DeterminismError {
  return new DeterminismError(
    "determinism",
    `Run "${run.runId}" of workflow "${run.workflow}": at seq ${recorded.seq} history has ${describe(recorded)} as command ${recorded.command}, but the code ${ended ? "had already ended" : "did not ask for it"}. ${REMEDY}`,
    { details: { runId: run.runId, seq: recorded.seq, command: recorded.command, recorded: recorded.type } },
  );
}

/** The code waits for something that no event can bring, or asked for something after such a wait. */
export function nonDurableAwait(run: RunHeader): DeterminismError {
  return new DeterminismError(
    "non-durable-await",
    `Run "${run.runId}" of workflow "${run.workflow}" awaits something that Perdure does not record (a bare fetch, a timer, a file, the context used inside an activity?). Move it into an activity of its own: await ctx.run("name", async () => …).`,
    { details: { runId: run.runId } },
  );
}

/** The code uses its context after its end. */
export function endedAlready(run: RunHeader): UsageError {
  return new UsageError(
    "outside-workflow",
    `The code of run "${run.runId}" of workflow "${run.workflow}" has ended, and something of it still uses the context. Await everything before you return.`,
    { details: { runId: run.runId } },
  );
}

/** An event, for people: its type and the name that it is about. */
function describe(event: WorkflowEvent): string {
  const name = commandName(event);
  return name === "" ? event.type : `${event.type} "${name}"`;
}
