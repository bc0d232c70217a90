import type { ActivityContext } from "../define/activity.ts";

/** A call of an activity's code, about to be made. */
export interface CodeCall {
  readonly command: number;
  /** As the input schema answered it. */
  readonly input: unknown;
  readonly context: ActivityContext;
  readonly execute: (input: never, context: ActivityContext) => unknown;
}

/**
 * Stands between an attempt and the code of its activity: calls it, or answers in its place. Retries, time-outs and schemas stay
 * the attempt's, and apply to what it answers.
 */
export type Interceptor = (call: CodeCall) => unknown;
