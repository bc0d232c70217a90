import { requireDuration } from "../errors/require-duration.ts";
import { requireRetry } from "../errors/require-retry.ts";
import type { Duration } from "../model/duration.ts";
import type { Logger } from "../model/logger.ts";
import type { Retry, RetryPolicy } from "../model/retry.ts";
import type { InferInput, InferOutput, Schema } from "../model/schema.ts";
import { requireName } from "./name.ts";

/** How an activity is attempted. Given with its definition, or with one call of it. */
export interface ActivityOptions {
  /** Attempts and the time between them. Default: three attempts, exponential from one second. */
  readonly retry?: Retry;
  /** Limit of one attempt. An attempt that timed out frees its slot, its `signal` fires, its late result is dropped. */
  readonly timeout?: Duration;
  /** The attempt has failed when it has not called `heartbeat()` for this long. */
  readonly heartbeatTimeout?: Duration;
}

/** What an activity's code knows about the attempt that it is. */
export interface ActivityContext {
  readonly runId: string;
  readonly workflow: string;
  readonly name: string;
  /** 1-based. */
  readonly attempt: number;
  /** The same for every attempt and every re-execution of this call: hand it to the system that is called. */
  readonly idempotencyKey: string;
  /** Fires when the attempt timed out, the run was cancelled or closed, or the worker cannot prove any more that it owns the run. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Says that the attempt is alive. */
  heartbeat(): void;
}

/** Code with side effects, run at least once for each call; its result is recorded once. */
export interface Activity<Input, Output> {
  readonly kind: "activity";
  readonly name: string;
  readonly inputSchema: Schema<Input, unknown> | null;
  readonly outputSchema: Schema<unknown, Output> | null;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number | null;
  readonly heartbeatTimeoutMs: number | null;
  readonly execute: (input: never, context: ActivityContext) => unknown;
}

/** Any activity, whatever its types. */
// oxlint-disable-next-line typescript/no-explicit-any -- commands hold activities of all types
export type AnyActivity = Activity<any, any>;

interface NamedActivityOptions extends ActivityOptions {
  readonly name: string;
}

/**
 * Defines an activity: the only place for side effects.
 *
 * @throws UsageError `invalid-argument` for a bad name, retry policy or time-out.
 * @example
 * const charge = activity({ name: "charge", retry: 5, timeout: "30s" }, async (order: { id: string }, { idempotencyKey }) => {
 *   return { receipt: `${order.id}/${idempotencyKey}` };
 * });
 */
export function activity<In extends Schema, Output>(
  options: NamedActivityOptions & { readonly input: In; readonly output?: Schema<unknown, Output> },
  execute: (input: InferOutput<In>, context: ActivityContext) => Output | Promise<Output>,
): Activity<InferInput<In>, Output>;
export function activity<Input, Output>(
  options: NamedActivityOptions & { readonly output?: Schema<unknown, Output> },
  execute: (input: Input, context: ActivityContext) => Output | Promise<Output>,
): Activity<Input, Output>;
export function activity(
  options: NamedActivityOptions & { readonly input?: Schema; readonly output?: Schema },
  execute: (input: never, context: ActivityContext) => unknown,
): AnyActivity {
  const name = requireName(options.name, "activity");
  return {
    kind: "activity",
    name,
    inputSchema: options.input ?? null,
    outputSchema: options.output ?? null,
    ...requireAttempts(options, name),
    execute,
  };
}

/** The attempt settings of an activity or of one call, resolved. */
export interface Attempts {
  readonly retry: RetryPolicy;
  readonly timeoutMs: number | null;
  readonly heartbeatTimeoutMs: number | null;
}

/**
 * Resolves attempt settings; what is absent comes from `base`.
 * @throws UsageError `invalid-argument`.
 */
export function requireAttempts(options: ActivityOptions, name: string, base?: Attempts): Attempts {
  const limit = (value: Duration | undefined, what: string, fallback: number | null): number | null =>
    value === undefined ? fallback : requireDuration(value, `${what} of activity "${name}"`);
  return {
    retry:
      options.retry === undefined && base !== undefined
        ? base.retry
        : requireRetry(options.retry, `retry of activity "${name}"`),
    timeoutMs: limit(options.timeout, "timeout", base?.timeoutMs ?? null),
    heartbeatTimeoutMs: limit(options.heartbeatTimeout, "heartbeatTimeout", base?.heartbeatTimeoutMs ?? null),
  };
}
