import type { ResultCache } from "../define/activity.ts";
import type { ActivityContext, RunInTransaction } from "../define/activity-context.ts";
import type { Payload } from "../model/payload.ts";
import type { Schema } from "../model/schema.ts";
import type { Claim } from "../storage/task.ts";

/** How the code of an attempt and the record of its result become one. */
export interface AttemptTransaction {
  readonly run: RunInTransaction<unknown>;
  /** Writes the result inside the transaction. The attempt may turn out to be over by that. */
  readonly record: (tx: unknown, output: Payload) => Promise<void>;
}

/** One attempt to be made, wherever its run is held. */
export interface ActivityCall {
  readonly runId: string;
  readonly workflow: string;
  /** Number of the command that the call is. */
  readonly command: number;
  readonly name: string;
  /** 1-based. */
  readonly attempt: number;
  readonly idempotencyKey: string;
  readonly inputSchema: Schema | null;
  readonly outputSchema: Schema | null;
  readonly execute: (input: never, context: ActivityContext) => unknown;
  readonly cache: ResultCache | null;
  /** `null`: whoever has the attempt made records its result. */
  readonly transaction: AttemptTransaction | null;
  readonly timeoutMs: number | null;
  readonly heartbeatTimeoutMs: number | null;
  /** `null`: it takes none. */
  readonly input: Payload | null;
  /** Proves that the attempt's worker owns what it writes for it. */
  readonly claim: Claim;
  /** Asked when nothing is left to do but to run the code. `false`: the lease may be over, and the attempt's holder gives it up. */
  readonly mayBegin: () => boolean;
  /** An attempt before this one may have left a checkpoint. */
  readonly resumes: boolean;
}
