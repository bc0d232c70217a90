import type { WorkflowEvent } from "../model/event.ts";

/** How far the code of a run has come, as its history shows it. */
export interface Progress {
  /** The step that was begun and not completed: of a run that has ended, the one in which it ended. */
  readonly currentStep: string | null;
  /** Ids of the patches that the run has. */
  readonly patches: readonly string[];
}

export function progressInHistory(history: readonly WorkflowEvent[]): Progress {
  let currentStep: string | null = null;
  const patches: string[] = [];
  for (const { type, data } of history) {
    if (type === "STEP_STARTED") currentStep = data.step;
    else if (type === "STEP_COMPLETED") currentStep = null;
    else if (type === "VERSION_MARKED") patches.push(data.id);
  }
  return { currentStep, patches };
}
