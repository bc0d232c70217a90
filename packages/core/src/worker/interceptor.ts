import type { ActivityContext } from "../define/activity-context.ts";
import type { Claim } from "../storage/task.ts";

/** A call of an activity's code, about to be made. */
export interface CodeCall {
  /** Under which its end is written. */
  readonly claim: Claim;
  readonly command: number;
  /** As the input schema answered it. */
  readonly input: unknown;
  readonly context: ActivityContext;
  readonly execute: (input: never, context: ActivityContext) => unknown;
  /** Whether `execute` has recorded the result itself: that of a transactional activity. */
  readonly isRecorded: () => boolean;
}

/**
 * Stands between an attempt and the code of its activity: calls it, or answers in its place. Retries, time-outs and schemas stay
 * the attempt's, and apply to what it answers.
 */
export type Interceptor = (call: CodeCall) => unknown;
