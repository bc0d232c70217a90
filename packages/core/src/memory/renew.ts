import type { Millis } from "../model/ids.ts";
import type { Claim, RenewResult } from "../storage/task.ts";
import type { Namespace } from "./store.ts";
import { messagesOf } from "./views.ts";

/** `renewLeases`: also a lease that expired and that nobody took over; never one that its holder gave up. */
export function renewLease(space: Namespace, claim: Claim, leaseMs: number, now: Millis): RenewResult {
  const task = space.tasks.owned(claim);
  if (task?.lease == null) return { status: "lost" };
  const leaseUntil = now + leaseMs;
  task.lease.until = leaseUntil;
  space.tasks.show(task, leaseUntil);
  if (task.kind === "activity") return { status: "held", now, leaseUntil, inboxLast: 0, messages: [] };
  return { status: "held", now, leaseUntil, inboxLast: task.inboxLast, messages: messagesOf(task) };
}
