import type { CommitResult } from "@perdure/core/storage";

/** What becomes an answer when the batch is written. */
export type Outcome = () => Promise<CommitResult>;
