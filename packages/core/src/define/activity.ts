import { UsageError } from "../errors/index.ts";
import { requireDuration } from "../errors/require-duration.ts";
import { requireFunction } from "../errors/require-function.ts";
import { requireOptions } from "../errors/require-options.ts";
import { requireRetry } from "../errors/require-retry.ts";
import { requireSchema } from "../errors/require-schema.ts";
import type { Duration } from "../model/duration.ts";
import type { Retry, RetryPolicy } from "../model/retry.ts";
import type { InferInput, InferOutput, Schema } from "../model/schema.ts";
import type { ActivityContext, RunInTransaction, TransactionalContext } from "./activity-context.ts";
import { requireName } from "./require-name.ts";

/** How an activity is attempted. Given with its definition, or with one call of it. */
export interface ActivityOptions {
  /** Attempts and the time between them. Default: three attempts, exponential from one second. */
  readonly retry?: Retry;
  /** Limit of one attempt. An attempt that timed out frees its slot, its `signal` fires, its late result is dropped. */
  readonly timeout?: Duration;
  /** The attempt has failed when it has not called `heartbeat()` for this long. */
  readonly heartbeatTimeout?: Duration;
}

/** Remembers results across runs, by the storage's clock. */
export interface ActivityCache<Input> {
  /** Calls with the same key share one result. Pure. */
  readonly key: (input: Input) => string;
  /** How long a result is remembered. Default: for ever. */
  readonly ttl?: Duration;
}

/**
 * Code with side effects, run at least once for each call; its result is recorded once. `Input` is what callers give, `Received`
 * what the code gets of it through the input schema.
 */
export interface Activity<Input, Output, Received = Input> {
  readonly kind: "activity";
  readonly name: string;
  readonly inputSchema: Schema<Input, Received> | null;
  readonly outputSchema: Schema<unknown, Output> | null;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number | null;
  readonly heartbeatTimeoutMs: number | null;
  /** Where it runs; `null`: wherever its run does. */
  readonly queue: string | null;
  readonly cache: ResultCache | null;
  /** `null`: its result is recorded after its code. */
  readonly transaction: RunInTransaction<unknown> | null;
  readonly execute: (input: never, context: ActivityContext) => unknown;
}

/** An {@link ActivityCache}, resolved. */
export interface ResultCache {
  readonly key: (input: never) => string;
  readonly ttlMs: number | null;
}

/** Any activity, whatever its types. */
// oxlint-disable-next-line typescript/no-explicit-any -- commands hold activities of all types
export type AnyActivity = Activity<any, any, any>;

interface NamedActivityOptions extends ActivityOptions {
  readonly name: string;
  /**
   * Only workers that serve this queue execute it: those that do not send it out as a task, for one that serves the queue and lists
   * the activity. Default: the worker that holds the run executes it.
   */
  readonly queue?: string;
}

interface PlainActivityOptions<Input> extends NamedActivityOptions {
  /** Reuses results: a call whose key has one is recorded as completed and not executed. */
  readonly cache?: ActivityCache<Input>;
  readonly transaction?: undefined;
}

interface TransactionalActivityOptions<Tx> extends NamedActivityOptions {
  /**
   * Has the code and the record of its result share one transaction of yours: either what it wrote is there and its result is
   * recorded, or neither. Needs a storage that can join such a transaction, that is the same database; and a worker that lists the
   * activity: it always goes out as a task.
   */
  readonly transaction: RunInTransaction<Tx>;
  readonly cache?: undefined;
}

const OPTIONS = {
  name: true,
  input: true,
  output: true,
  retry: true,
  timeout: true,
  heartbeatTimeout: true,
  queue: true,
  cache: true,
  transaction: true,
} as const;

/** What one call may say differently. */
export const CALL_OPTIONS = { retry: true, timeout: true, heartbeatTimeout: true } as const;

/**
 * Defines an activity: the only place for side effects.
 *
 * @throws UsageError `invalid-argument` for a bad or unknown option, and for a cache of a transactional activity.
 * @example
 * const charge = activity({ name: "charge", retry: 5, timeout: "30s" }, async (order: { id: string }, { idempotencyKey }) => {
 *   return { receipt: `${order.id}/${idempotencyKey}` };
 * });
 * @example
 * const inTransaction = <T>(run: (tx: Transaction<Shop>) => Promise<T>) => db.transaction().execute(run);
 * const reserve = activity({ name: "reserve", transaction: inTransaction }, async (item: string, { tx }) => {
 *   await tx.updateTable("stock").set((row) => ({ left: row("left", "-", 1) })).where("item", "=", item).execute();
 * });
 */
export function activity<In extends Schema, Output, Tx>(
  options: TransactionalActivityOptions<Tx> & { readonly input: In; readonly output?: Schema<unknown, Output> },
  execute: (input: InferOutput<In>, context: TransactionalContext<Tx>) => Output | Promise<Output>,
): Activity<InferInput<In>, Output, InferOutput<In>>;
export function activity<Input, Output, Tx>(
  options: TransactionalActivityOptions<Tx> & { readonly output?: Schema<unknown, Output> },
  execute: (input: Input, context: TransactionalContext<Tx>) => Output | Promise<Output>,
): Activity<Input, Output>;
export function activity<In extends Schema, Output>(
  options: PlainActivityOptions<InferOutput<In>> & { readonly input: In; readonly output?: Schema<unknown, Output> },
  execute: (input: InferOutput<In>, context: ActivityContext) => Output | Promise<Output>,
): Activity<InferInput<In>, Output, InferOutput<In>>;
export function activity<Input, Output>(
  options: PlainActivityOptions<NoInfer<Input>> & { readonly output?: Schema<unknown, Output> },
  execute: (input: Input, context: ActivityContext) => Output | Promise<Output>,
): Activity<Input, Output>;
export function activity(
  options: (PlainActivityOptions<never> | TransactionalActivityOptions<unknown>) & {
    readonly input?: Schema;
    readonly output?: Schema;
  },
  execute: (input: never, context: never) => unknown,
): AnyActivity {
  requireOptions(options, "activity", OPTIONS);
  const name = requireName(options.name, "name of an activity");
  return {
    kind: "activity",
    name,
    inputSchema: requireSchema(options.input, `input of activity "${name}"`),
    outputSchema: requireSchema(options.output, `output of activity "${name}"`),
    ...requireAttemptSettings(options, name),
    queue: options.queue === undefined ? null : requireName(options.queue, `queue of activity "${name}"`),
    cache: options.cache === undefined ? null : requireCache(options.cache, name),
    transaction: requireTransaction(options, name),
    execute: requireFunction(execute, `code of activity "${name}"`) as AnyActivity["execute"],
  };
}

function requireCache(cache: ActivityCache<never>, name: string): ResultCache {
  requireOptions(cache, `cache of activity "${name}"`, { key: true, ttl: true });
  const { key, ttl } = cache;
  if (typeof key !== "function") {
    throw new UsageError(
      "invalid-argument",
      `The cache of activity "${name}" needs a function \`key\` that makes a text of the input.`,
    );
  }
  return { key, ttlMs: ttl === undefined ? null : requireDuration(ttl, `cache.ttl of activity "${name}"`) };
}

function requireTransaction(
  { transaction, cache }: { readonly transaction?: RunInTransaction<unknown> | undefined; readonly cache?: unknown },
  name: string,
): RunInTransaction<unknown> | null {
  if (transaction === undefined) return null;
  if (cache === undefined) return requireFunction(transaction, `transaction of activity "${name}"`);
  throw new UsageError(
    "invalid-argument",
    `Activity "${name}" has both \`transaction\` and \`cache\`. Leave one out: a result from a cache would have written nothing.`,
  );
}

/** The attempt settings of an activity or of one call, resolved. */
export interface AttemptSettings {
  readonly retry: RetryPolicy;
  readonly timeoutMs: number | null;
  readonly heartbeatTimeoutMs: number | null;
}

/**
 * Resolves attempt settings; what is absent comes from `base`.
 * @throws UsageError `invalid-argument`.
 */
export function requireAttemptSettings(
  options: ActivityOptions,
  name: string,
  base?: AttemptSettings,
): AttemptSettings {
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
