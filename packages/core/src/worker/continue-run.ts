import { openTasks } from "../engine/activity-task.ts";
import { continuedEvent, legacyOf } from "../engine/continuation.ts";
import type { Continuation } from "../engine/ending.ts";
import { Execution } from "../engine/execution.ts";
import { workflowBody } from "../engine/workflow-body.ts";
import type { WorkflowCommit } from "../storage/commit.ts";
import type { NewEvent } from "../storage/event.ts";
import type { WorkerEnvironment } from "./environment.ts";

/** So many generations go on in one holder's hands: then the run goes back into the line, so that one that continues for ever starves nobody (I27). */
export const GENERATIONS_HELD = 32;

/** The end of one generation and the beginning of the next, as they are committed. */
export interface Turnover {
  /** All that is left to record of the old one, and the first event of the new one. */
  readonly events: readonly NewEvent[];
  readonly fields: WorkflowCommit["run"];
  /** Lets the code of the new one begin, in memory: its execution comes first, its first turn when it is asked for. */
  readonly begin: () => { readonly execution: Execution; readonly firstTurn: () => Promise<void> };
}

/** Turns an execution whose code has continued as new over to the next generation. */
export function turnOver({ registry }: WorkerEnvironment, old: Execution, continuation: Continuation): Turnover {
  const { run, environment, head } = old;
  const { codec } = environment;
  const event = continuedEvent(old, continuation);
  const hadState = Object.keys(old.state.snapshot()).length > 0;
  const state = continuation.state ?? (hadState ? codec.encode({}) : null);
  const fields = { ...old.takeRunFields(), ...(state !== null && { state }), baseSeq: head };
  const events = old.fresh.splice(0);
  // What other workers still execute for the old generation ends with it.
  old.taskChanges.cancel(head, openTasks(run, old.open.activities.values()));
  return {
    events: [...events, event],
    fields,
    begin: () => {
      const next = new Execution(
        { ...run, baseSeq: head },
        workflowBody(registry.workflow(run.workflow)!),
        environment,
      );
      next.inherit(legacyOf(old));
      return { execution: next, firstTurn: () => next.replay([{ seq: head + 1, ...event }]) };
    },
  };
}
