import type { InboxNo, Millis, Seq, TaskId } from "../model/ids.ts";
import type { Payload } from "../model/payload.ts";
import type { RunHeader } from "../model/run.ts";
import type { StoredEvent } from "./event.ts";
import type { StoredMessage } from "./message.ts";

/** What there is to do: carry a run on, or execute one activity of it. */
export type TaskKind = "workflow" | "activity";

/** Proof of ownership: presented with every write, valid until the task gets a newer epoch or the claim ends. */
export interface Claim {
  readonly taskId: TaskId;
  readonly runId: string;
  readonly incarnation: string;
  /** The fencing token: each acquisition of a task adds one. */
  readonly epoch: number;
}

/** An activity that any worker which serves `queue` and knows `activity` may execute. */
export interface NewActivityTask {
  /** From `activityTaskId(runId, incarnation, seq of ACTIVITY_SCHEDULED)`. */
  readonly taskId: TaskId;
  readonly activity: string;
  readonly queue: string;
  readonly priority: number;
  readonly input: Payload;
  /** 1-based number of the next attempt. */
  readonly attempt: number;
  /** `null` is now. */
  readonly readyAt: Millis | null;
  /** What the engine wants to know again at the claim (policy, last failure, heartbeat details). */
  readonly details: Payload | null;
}

/** What a worker asks for. */
export interface ClaimRequest {
  /** Names the worker to people. Not trusted for anything. */
  readonly workerId: string;
  /** Random for each start of a worker: tells which leases are its own. */
  readonly workerInstance: string;
  /**
   * Every task that this instance knows it holds. A task that this request selects (by `overdue`, too), held by this instance and
   * absent here was claimed by a call whose answer was lost: it is handed out again at once, before others, whether its lease still lives
   * or not, with a new epoch, without counting a delivery. So an instance makes one claim at a time.
   */
  readonly holding: readonly TaskId[];
  readonly queues: readonly string[];
  readonly kinds: readonly TaskKind[];
  /** Names that this worker has code for. A task of another name is never handed out, but for `overdue`. */
  readonly handlers: { readonly workflows: readonly string[]; readonly activities: readonly string[] };
  /** At most this many tasks; capped by `info.limits.claimTasks`. */
  readonly limit: number;
  readonly leaseMs: number;
  /** Events travel with a workflow task when it has at most this many after its base. */
  readonly inlineEvents: number;
  /**
   * Also hand out workflow tasks of runs with `deadlineAt <= now`, if they are claimable but for their queue, kind and name;
   * marked `onlyTimeOut`. A deadline makes no parked or blocked task ready: the engine parks and blocks until it at most.
   */
  readonly overdue: boolean;
  /**
   * Claim exactly these tasks, if nobody has a live lease on them: queues, kinds, handlers, `readyAt` and blocks do not count
   * then, `onlyTimeOut` is false, and `nextReadyAt` is null. `limit` and `holding` count. Unknown ids are passed over.
   */
  readonly taskIds?: readonly TaskId[];
}

/** A run to carry on, as its new owner gets it. */
export interface ClaimedWorkflowTask {
  readonly kind: "workflow";
  readonly claim: Claim;
  readonly leaseUntil: Millis;
  readonly run: RunHeader;
  readonly lastSeq: Seq;
  readonly lastCommitId: string | null;
  /** Hand-outs since the last commit, this one included. */
  readonly deliveries: number;
  /** The terminal event is recorded; only duties after it are left. */
  readonly closed: boolean;
  /** The reason of a block that has not been lifted by a commit yet. */
  readonly blocked: Payload | null;
  /** The worker may do nothing but time the run out: it has no code for it. */
  readonly onlyTimeOut: boolean;
  /** Messages up to here are events or were dropped. */
  readonly inboxAcked: InboxNo;
  /** All messages after `inboxAcked`, in arrival order. */
  readonly messages: readonly StoredMessage[];
  /** All events after `run.baseSeq`, when there are at most `inlineEvents`. */
  readonly events: readonly StoredEvent[] | null;
}

/** An activity to execute, as its new owner gets it. */
export interface ClaimedActivityTask {
  readonly kind: "activity";
  readonly claim: Claim;
  readonly leaseUntil: Millis;
  readonly workflow: string;
  readonly task: Omit<NewActivityTask, "readyAt">;
  readonly scheduledAt: Millis;
  /** Hand-outs of this attempt, this one included. */
  readonly deliveries: number;
}

/** A task as its new owner gets it. */
export type ClaimedTask = ClaimedWorkflowTask | ClaimedActivityTask;

/** What a claim has taken, and when to look again. */
export interface ClaimResult {
  readonly now: Millis;
  readonly tasks: readonly ClaimedTask[];
  /**
   * Earliest moment at which a task that this request could claim becomes claimable without anyone's help, over tasks that
   * were not handed out: ready tasks left by `limit` (then `<= now`), parked ones by their time, leased ones by the end of
   * their lease (of other instances, too). `null`: none. A ready task that another call was writing to may be passed over; then
   * this is the moment, a little after `now`, at which to look for it again.
   */
  readonly nextReadyAt: Millis | null;
}

/** `held`: the lease runs until `leaseUntil` now. `lost`: the claim is over (or was never good); nothing changed. */
export type RenewResult =
  | {
      readonly status: "held";
      readonly now: Millis;
      readonly leaseUntil: Millis;
      /** Number of the run's newest message; 0 for an activity task. */
      readonly inboxLast: InboxNo;
      /** All messages that are not acknowledged, in arrival order; empty for activity tasks. */
      readonly messages: readonly StoredMessage[];
    }
  | { readonly status: "lost" };

/** `unblocked`: the task is ready now, or with its holder, and its delivery count is 0. `unknown`: no such workflow task. */
export interface UnblockResult {
  readonly status: "unblocked" | "not-blocked" | "unknown";
}
