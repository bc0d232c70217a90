import type { Millis } from "../model/ids.ts";
import type { CommitResult, WorkflowCommit } from "../storage/commit.ts";

/** How a run left the worker's hands. */
export type Release =
  /** It waits for `wakeAt`, or for a message. */
  | { readonly to: "parked" | "blocked"; readonly wakeAt: Millis | null }
  | { readonly to: "done" }
  /** Another worker has it, or will have it when the lease ends. */
  | { readonly to: "lost" };

/** The answer to a commit that was applied. */
export type AppliedResult = Extract<CommitResult, { readonly status: "ok" | "duplicate" }>;

/** How a run leaves by a commit that was applied; `null`: it stays. */
export function releaseBy({ next, ackInbox }: WorkflowCommit, { held, inboxLast, now }: AppliedResult): Release | null {
  switch (next.do) {
    case "park":
      return { to: "parked", wakeAt: inboxLast > ackInbox ? now : next.wakeAt };
    case "block":
      return { to: "blocked", wakeAt: next.until };
    case "done":
      return { to: "done" };
    case "hold":
      return held ? null : { to: "lost" };
  }
}
