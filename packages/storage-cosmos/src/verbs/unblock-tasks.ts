import { parseTaskId, type TaskId, type UnblockResult, workflowTaskId } from "@perdure/core/storage";
import { changeRun } from "../change-run.ts";
import type { Store } from "../store.ts";
import type { RunWork } from "../run-work.ts";
import { giveBack } from "../times.ts";
import { eachRun } from "./each-run.ts";

/** `unblockTasks`: ready now with a clean slate. One that is claimed meanwhile stays with its holder. */
export async function unblockTasks(store: Store, taskIds: readonly TaskId[]): Promise<readonly UnblockResult[]> {
  const now = store.now();
  return eachRun(
    taskIds,
    (taskId) => taskId,
    async (same) => {
      const results: UnblockResult[] = [];
      for (const taskId of same) {
        const runId = parseTaskId(taskId)?.runId;
        if (runId === undefined) results.push({ status: "unknown" });
        else
          results.push({ status: (await changeRun(store, runId, now, async (work) => unblock(work, taskId))).answer });
      }
      return results;
    },
  );
}

function unblock(work: RunWork | undefined, taskId: TaskId): UnblockResult["status"] {
  if (work?.head.live === undefined) return "unknown";
  const { head, now } = work;
  if (taskId !== workflowTaskId(head.runId, head.incarnation)) return "unknown";
  if (!head.isBlocked) return "not-blocked";
  work.changeHead();
  head.blocked = work.headText(head.blocked, null);
  head.isBlocked = false;
  head.deliveries = 0;
  if (head.lease !== null) return "unblocked";
  giveBack(head, now, now);
  work.hints.push({ of: "queue", queue: head.queue });
  return "unblocked";
}
