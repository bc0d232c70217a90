import type { Millis } from "../model/ids.ts";
import type { Limits } from "../storage/info.ts";
import { writeCacheEntry } from "./cache.ts";
import type { Change } from "./change.ts";
import { commitTasks } from "./commit.ts";
import { createRun } from "./create.ts";
import { deliver } from "./deliver.ts";
import { restoreEntry, restoreRun } from "./image.ts";
import type { Namespace } from "./store.ts";
import { unblockTask } from "./unblock.ts";

/**
 * Makes a change again. Answers whether it was one here, too: where the changes before it are those that came before it at first, it
 * always is. Purges are not made here, but many at a time.
 */
export function applyChange(
  space: Namespace,
  change: Exclude<Change, { readonly do: "purge" }>,
  limits: Limits,
  at: Millis,
): boolean {
  switch (change.do) {
    case "create":
      return createRun(space, change.run, at).status === "created";
    case "deliver":
      return deliver(space, change.message, limits, at).status === "accepted";
    case "claim":
      return claim(space, change);
    case "renew":
      return renew(space, change);
    case "commit":
      return commitTasks(space, [change.commit], limits, at)[0]?.status === "ok";
    case "unblock":
      return unblockTask(space, change.taskId, at).status === "unblocked";
    case "cache":
      return writeCacheEntry(space, change.entry, at).status === "written";
    case "restore-run":
      if (space.runs.get(change.image.start.runId) !== undefined) return false;
      restoreRun(space, change.image);
      return true;
    case "restore-entry":
      restoreEntry(space, change.image);
      return true;
    default:
      return change satisfies never;
  }
}

type Of<K extends Change["do"]> = Extract<Change, { readonly do: K }>;

function claim(
  { tasks }: Namespace,
  { taskId, workerId, workerInstance, leaseUntil, deliveries }: Of<"claim">,
): boolean {
  const task = tasks.get(taskId);
  if (task === undefined) return false;
  task.deliveries = deliveries;
  tasks.lease(task, { workerId, workerInstance, until: leaseUntil });
  return true;
}

function renew({ tasks }: Namespace, { taskId, leaseUntil }: Of<"renew">): boolean {
  const task = tasks.get(taskId);
  if (task?.lease == null) return false;
  task.lease.until = leaseUntil;
  tasks.show(task, leaseUntil);
  return true;
}
