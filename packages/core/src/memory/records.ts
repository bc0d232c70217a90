import type { InboxNo, Millis, Seq, TaskId } from "../model/ids.ts";
import type { Payload } from "../model/payload.ts";
import type { Attributes, RunHeader, RunStatus } from "../model/run.ts";
import type { CacheEntry, CacheKey } from "../storage/cache.ts";
import type { StoredEvent } from "../storage/event.ts";
import type { StoredMessage } from "../storage/message.ts";
import type { Place } from "./heap.ts";
import type { Lane } from "./lane.ts";

// Records live inside the store only: what comes in is copied into one, what goes out is copied from one (see views.ts).

/** A run's cold record: it stays until it is purged. */
export interface RunRecord {
  /** What never changes. */
  readonly start: Omit<RunHeader, "baseSeq">;
  baseSeq: Seq;
  status: RunStatus;
  closedAt: Millis | null;
  output: Payload | null;
  failure: Payload | null;
  state: Payload | null;
  attributes: Attributes;
  /** The event of seq n stands at n − 1: dense by construction (I1). */
  readonly events: StoredEvent[];
  /** The last workflow commit. It outlives the task, so that a retry of `done` is known. */
  lastCommitId: string | null;
  /** The hot record; `null` after `done`. */
  task: WorkflowTask | null;
  /** Cache entries that were written under a claim of this run. */
  cacheKeys: Set<CacheKey> | null;
  /** Ids of accepted messages that are remembered, in arrival order. */
  readonly dedupe: Map<string, RememberedMessage>;
  /** Messages that were dropped by a close with `discardUnread`. */
  discarded: number;
}

/** Who holds a task. An expired lease stays here until somebody else claims the task: its holder is still good. */
export interface Lease {
  readonly workerId: string;
  readonly workerInstance: string;
  until: Millis;
}

/** What workflow tasks and activity tasks have in common. */
interface HotTask {
  readonly id: TaskId;
  readonly run: RunRecord;
  /** The workflow or the activity that a worker must have code for. */
  readonly name: string;
  readonly queue: string;
  readonly priority: number;
  /** The fencing token: the number of claims ever made. */
  epoch: number;
  /** `null`: nobody holds the task. The claim that has this epoch has ended, or there was none. */
  lease: Lease | null;
  deliveries: number;
  /**
   * The one moment from which the task can be claimed: its ready time, or the end of its lease, or the end of its block.
   * `null`: never by itself. Changed only by `Tasks.show`, which keeps the order of claiming.
   */
  visibleAt: Millis | null;
  /** All tasks of its queue, kind and name. */
  readonly lane: Lane<Task>;
  /** Where the task stands in its lane, while it is visible at some time. */
  place: Place<Task> | null;
  /** Where it stands among the tasks of runs that have a deadline. */
  deadlinePlace: Place<Task> | null;
}

/** A run's one workflow task, with all that a run needs only while it is not done. */
export interface WorkflowTask extends HotTask {
  readonly kind: "workflow";
  blocked: Payload | null;
  /** Messages up to here are events or were dropped. */
  inboxAcked: InboxNo;
  inboxLast: InboxNo;
  /** The messages after `inboxAcked`, in arrival order. */
  readonly inbox: StoredMessage[];
  readonly activities: Map<TaskId, ActivityTask>;
  /** Activity tasks that were completed, in that order: a retried completion is known by its commit id. */
  readonly completed: Map<TaskId, { readonly commitId: string; readonly at: Millis }>;
}

interface RememberedMessage {
  readonly external: boolean;
  /** `null` while the message is unread. */
  ackedAt: Millis | null;
}

export interface ActivityTask extends HotTask {
  readonly kind: "activity";
  readonly input: Payload;
  readonly scheduledAt: Millis;
  attempt: number;
  details: Payload | null;
  lastCommitId: string | null;
}

export type Task = WorkflowTask | ActivityTask;

export interface CacheRecord extends CacheEntry {
  /** The run that the entry is deleted with. */
  readonly owner: RunRecord | null;
}
