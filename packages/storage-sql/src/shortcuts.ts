import type { ClaimRequest, ClaimResult, CommitResult, TaskCommit } from "@perdure/core/storage";
import type { TopicCode } from "./topics.ts";
import type { Store } from "./turn.ts";

/**
 * Faster forms of the two verbs that workers live by, for what is common: one statement each. What such a form cannot decide it
 * leaves as it was, and the general form decides it.
 */
export interface Shortcuts {
  /** `claimTasks`, or undefined. */
  claim(store: Store, request: ClaimRequest): Promise<ClaimResult | undefined>;
  /** `commitTasks`, with undefined for commits that were not decided; adds to `topics` what it woke. */
  commit(
    store: Store,
    commits: readonly TaskCommit[],
    topics: Set<TopicCode>,
  ): Promise<readonly (CommitResult | undefined)[]>;
}
