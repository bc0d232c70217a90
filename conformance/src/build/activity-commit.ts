import type { ActivityCommit, ClaimedActivityTask, NewMessage } from "@perdure/core/storage";
import type { Random } from "../random.ts";

/** Ends a hand-out of an activity task; completes it unless told otherwise. */
export function activityCommit(
  random: Random,
  task: ClaimedActivityTask,
  next: ActivityCommit["next"] = { do: "complete", message: outcomeMessage(task) },
): ActivityCommit {
  return { kind: "activity", claim: task.claim, commitId: random.text(22), next };
}

/** The outcome as the engine addresses it: the same for every attempt. */
function outcomeMessage({ claim }: ClaimedActivityTask): NewMessage {
  return {
    runId: claim.runId,
    incarnation: claim.incarnation,
    dedupeId: `outcome-${claim.taskId.split(":", 1)[0]}`,
    external: false,
    data: '{"outcome":"charged"}',
  };
}
