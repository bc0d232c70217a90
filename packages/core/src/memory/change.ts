import type { Millis, TaskId } from "../model/ids.ts";
import type { CacheKey, NewCacheEntry } from "../storage/cache.ts";
import type { TaskCommit } from "../storage/commit.ts";
import type { NewMessage } from "../storage/message.ts";
import type { NewRun } from "../storage/run.ts";
import type { CacheImage, RunImage } from "./image.ts";

/**
 * One thing that a verb changed, as plain JSON. The same changes in the same order, each at its time, make the same records.
 * Only what was applied is a change: nothing of a refused element, nor of one that was known already.
 */
export type Change =
  | { readonly do: "create"; readonly run: NewRun }
  | { readonly do: "deliver"; readonly message: NewMessage }
  | {
      readonly do: "claim";
      readonly taskId: TaskId;
      readonly workerId: string;
      readonly workerInstance: string;
      readonly leaseUntil: Millis;
      readonly deliveries: number;
    }
  | { readonly do: "renew"; readonly taskId: TaskId; readonly leaseUntil: Millis }
  | { readonly do: "commit"; readonly commit: TaskCommit }
  | { readonly do: "unblock"; readonly taskId: TaskId }
  | { readonly do: "cache"; readonly entry: NewCacheEntry }
  | { readonly do: "purge"; readonly runId: string }
  /** A whole run, or cache entry, as it was when an image was taken. */
  | { readonly do: "restore-run"; readonly image: RunImage }
  | { readonly do: "restore-entry"; readonly image: CacheImage };

/** What a change is about: one run, or one cache entry, and nothing else. */
export type Subject = { readonly of: "run"; readonly runId: string } | { readonly of: "cache"; readonly key: CacheKey };

/** Tells the subject of a change. */
export function subjectOf(change: Change): Subject {
  switch (change.do) {
    case "create":
      return { of: "run", runId: change.run.runId };
    case "deliver":
      return { of: "run", runId: change.message.runId };
    case "commit":
      return { of: "run", runId: change.commit.claim.runId };
    case "claim":
    case "renew":
    case "unblock":
      // The run's id is what follows the first colon: no incarnation has one.
      return { of: "run", runId: change.taskId.slice(change.taskId.indexOf(":") + 1) };
    case "purge":
      return { of: "run", runId: change.runId };
    case "restore-run":
      return { of: "run", runId: change.image.start.runId };
    case "cache":
      return { of: "cache", key: change.entry.key };
    case "restore-entry":
      return { of: "cache", key: change.image.key };
    default:
      return change satisfies never;
  }
}
