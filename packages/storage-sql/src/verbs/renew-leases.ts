import type { Claim, Millis, RenewResult } from "@perdure/core/storage";
import { messagesAfter, timeWith } from "../inbox.ts";
import { query } from "../query.ts";
import { type Steps, write } from "../steps.ts";
import { claimedTask, owns, type TaskKey } from "../tasks.ts";
import type { Turn } from "../turn.ts";

/** `renewLeases`, for one claim: also one whose lease expired; never one that was given up. */
export function* renewLease(turn: Turn, claim: Claim, leaseMs: number): Steps<RenewResult> {
  const task = yield* claimedTask(turn, claim);
  if (task === undefined || !owns(claim, task)) return { status: "lost" };
  const { run, seq } = task;
  const leaseUntil = turn.now + leaseMs;
  yield* write(extendLease, { run, seq, leaseUntil });
  const messages = yield* messagesAfter(task, task.inbox_acked);
  return { status: "held", now: timeWith(turn.now, messages), leaseUntil, inboxLast: task.inbox_last, messages };
}

const extendLease = query((db, args: TaskKey & { leaseUntil: Millis }) =>
  db
    .updateTable("perdure_tasks")
    .set({ visible_at: args.leaseUntil })
    .where("run", "=", args.run)
    .where("seq", "=", args.seq),
);
