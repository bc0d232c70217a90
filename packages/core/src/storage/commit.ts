import type { InboxNo, Millis, Seq, TaskId } from "../model/ids.ts";
import type { Payload } from "../model/payload.ts";
import type { Attributes, ClosedStatus } from "../model/run.ts";
import type { NewEvent } from "./event.ts";
import type { NewMessage, StoredMessage } from "./message.ts";
import type { Claim, NewActivityTask } from "./task.ts";

/** Everything that one turn of a run changes: applied as a whole or not at all (I3). */
export interface WorkflowCommit {
  readonly kind: "workflow";
  readonly claim: Claim;
  /** Random, 1 … 64 bytes. A retry after a lost reply resends the identical commit. */
  readonly commitId: string;
  /** The head of history that this turn was computed from. */
  readonly expectedSeq: Seq;
  /** Stored at `expectedSeq + 1 …`. A commit that holds has at least one. */
  readonly events: readonly NewEvent[];
  /** Messages up to here became events, or were dropped because their command already has an outcome. Never goes back. */
  readonly ackInbox: InboxNo;
  /** New activity tasks of this run; applied before `cancel`. One whose id is there already, or was completed, is left as it is. */
  readonly schedule?: readonly NewActivityTask[];
  /** Activity tasks of this run to delete, claimed or not; any other id is ignored. */
  readonly cancel?: readonly TaskId[];
  /** Fields of the run row to replace; attributes as a whole. `baseSeq` is at most the new head. */
  readonly run?: { readonly state?: Payload; readonly attributes?: Attributes; readonly baseSeq?: Seq };
  /**
   * Travels with the terminal event: sets the run's status and marks the task closed; from then on `deliver` accepts
   * nothing. Refused as `unread` while messages after `ackInbox` are there, unless `discardUnread`: then they are dropped, and
   * counted in `stats`; their dedupe ids stay.
   */
  readonly close?: {
    readonly status: ClosedStatus;
    readonly output?: Payload;
    readonly failure?: Payload;
    readonly discardUnread?: boolean;
  };
  readonly next: NextStep;
}

/**
 * What happens to the task after a {@link WorkflowCommit}.
 * - `hold`: the lease stays as it is (it is not extended).
 * - `park`: the lease ends; the task is ready at `wakeAt` (`null`: never by itself), or at once if messages after
 *   `ackInbox` are there (I11: decided in the same write).
 * - `block`: the lease ends; messages stay and do not wake it, the delivery count stays. It comes back at `until`, by a claim
 *   that names its id, or by `unblockTasks`.
 * - `done`: the task is removed with all activity tasks that the run still has. Only of a closed run.
 *
 * All but `hold` end the claim: every later verb under its epoch is refused.
 */
export type NextStep =
  | { readonly do: "hold" }
  | { readonly do: "park"; readonly wakeAt: Millis | null }
  | { readonly do: "block"; readonly reason: Payload; readonly until: Millis | null }
  | { readonly do: "done" };

/**
 * The end of a hand-out of an activity task. Every one of the three ends the claim.
 * - `complete`: the task is removed and `message`, addressed to the claim's run, is delivered to its inbox, in one write. If the
 *   run takes no more messages, or had this one before, the task is removed all the same.
 * - `retry`: the task is ready again at `at`, as attempt `attempt`; its delivery count goes back to 0, and `details` stay if
 *   none are given. No workflow turn is spent.
 * - `release`: the task is ready at once; its delivery count goes back to 0.
 */
export interface ActivityCommit {
  readonly kind: "activity";
  readonly claim: Claim;
  readonly commitId: string;
  readonly next:
    | { readonly do: "complete"; readonly message: NewMessage }
    | { readonly do: "retry"; readonly at: Millis; readonly attempt: number; readonly details?: Payload }
    | { readonly do: "release" };
}

/** What a worker writes under a claim. */
export type TaskCommit = WorkflowCommit | ActivityCommit;

/** Why a commit was refused as malformed; nothing was written. Of several reasons, the first in this order. */
export type InvalidCommitCode =
  /** Whatever became of the first. */
  | "second-commit-in-batch"
  | "hold-without-events"
  | "too-many-events"
  | "too-many-tasks"
  | "too-large"
  | "close-twice"
  | "done-without-close"
  /** `ackInbox` is behind an earlier one, or ahead of the newest message. */
  | "ack-out-of-range";

/**
 * The answer to one commit. Checked in this order:
 * 1. `duplicate`: `commitId` is the task's last one (after `done`: the run's): it was applied before, under whatever claim.
 *    `held` says whether this claim still owns the task. The last one of a completed activity task is remembered until its run is
 *    done, though it may be forgotten `info.limits.dedupeMs` after the completion.
 * 2. `lease-lost`: incarnation or epoch is not the task's, the claim has ended, or the task is gone.
 * 3. `invalid`: the commit breaks a rule of its own shape.
 * 4. `conflict`: `expectedSeq` is not the head.
 * 5. `unread`: it closes the run and messages after `ackInbox` are there.
 *
 * Each commit sees what the ones before it in the batch have written. Every answer but `ok` means that nothing was written.
 */
export type CommitResult =
  | {
      readonly status: "ok" | "duplicate";
      readonly held: boolean;
      readonly now: Millis;
      /** End of the lease while `held`, else null. */
      readonly leaseUntil: Millis | null;
      /** Number of the run's newest message; 0 for an activity commit, and once the run is done. */
      readonly inboxLast: InboxNo;
      /** While `held`: all messages after the ack, in arrival order. Else empty. */
      readonly messages: readonly StoredMessage[];
    }
  | { readonly status: "lease-lost" }
  | { readonly status: "conflict"; readonly lastSeq: Seq }
  /** With the messages after `ackInbox`, in arrival order. */
  | { readonly status: "unread"; readonly messages: readonly StoredMessage[] }
  | { readonly status: "invalid"; readonly code: InvalidCommitCode };
