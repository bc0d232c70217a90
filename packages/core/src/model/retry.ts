import type { Failure } from "./failure.ts";
import { maxDurationMs, parseDuration, type Duration } from "./duration.ts";

/** What a user writes about retries: the number of attempts, or a policy in which everything has a default. */
export type Retry = number | RetryOptions;

/** A retry policy as users write it. */
export interface RetryOptions {
  /** Executions in total, the first included: a positive integer or `Infinity`. Default 3. */
  readonly maximumAttempts?: number;
  /** The wait before the next attempt. Default `'exponential'`. */
  readonly delay?: RetryDelay;
  /** Part of the delay, 0…1, that is drawn at random above or below it. Default 0.1. */
  readonly jitter?: number;
  /** Names of errors (`error.name`) that end the retries at once. Default none. */
  readonly nonRetryable?: readonly string[];
}

/**
 * The wait between attempts: `'fixed'` is one second; `'exponential'` is `{ initial: '1s', factor: 2, maximum: '5m' }`;
 * a duration is that one every time; a list is used in order and repeats its last element.
 */
export type RetryDelay = "fixed" | "exponential" | Duration | readonly Duration[] | ExponentialDelay;

/** Attempt n is followed by `initial × factorⁿ⁻¹`, at most `maximum`. */
export interface ExponentialDelay {
  readonly initial: Duration;
  /** At least 1. Default 2. */
  readonly factor?: number;
  /** Not below `initial`. Default five minutes, or `initial` if that is longer. */
  readonly maximum?: Duration;
}

/** A {@link Retry} with every default filled in: plain JSON. */
export interface RetryPolicy {
  /** Executions in total, the first included; `null` is no limit. */
  readonly maximumAttempts: number | null;
  readonly delay:
    | { readonly kind: "list"; readonly delaysMs: readonly number[] }
    | { readonly kind: "exponential"; readonly initialMs: number; readonly factor: number; readonly maximumMs: number };
  /** 0…1. */
  readonly jitter: number;
  readonly nonRetryable: readonly string[];
}

/** Why something is no retry policy: half a sentence that names the wrong part. */
export interface InvalidRetry {
  readonly invalid: string;
}

const optionNames: ReadonlySet<string> = new Set(["maximumAttempts", "delay", "jitter", "nonRetryable"]);
const delayNames: ReadonlySet<string> = new Set(["initial", "factor", "maximum"]);
const defaultMaximumMs = 300_000;

/** Fills in the defaults. Answers {@link InvalidRetry} for what is no policy, a misspelt option included. */
export function normalizeRetry(retry: Retry | undefined): RetryPolicy | InvalidRetry {
  const options = typeof retry === "number" ? { maximumAttempts: retry } : (retry ?? {});
  const unknown = unknownKey(options, optionNames);
  if (unknown !== undefined) return unknown;

  const { maximumAttempts = 3, jitter = 0.1, nonRetryable = [] } = options;
  if (maximumAttempts !== Infinity && !(Number.isSafeInteger(maximumAttempts) && maximumAttempts > 0)) {
    return { invalid: "maximumAttempts must be a positive integer or Infinity" };
  }
  if (!(typeof jitter === "number" && jitter >= 0 && jitter <= 1)) return { invalid: "jitter must be from 0 to 1" };
  if (!Array.isArray(nonRetryable) || !nonRetryable.every((name) => typeof name === "string")) {
    return { invalid: "nonRetryable must be a list of error names" };
  }
  const delay = normalizeDelay(options.delay ?? "exponential");
  if ("invalid" in delay) return delay;

  return {
    maximumAttempts: maximumAttempts === Infinity ? null : maximumAttempts,
    delay,
    jitter,
    nonRetryable: [...nonRetryable],
  };
}

function normalizeDelay(delay: RetryDelay): RetryPolicy["delay"] | InvalidRetry {
  if (delay === "fixed") return { kind: "list", delaysMs: [1_000] };
  if (delay === "exponential") return normalizeExponential({ initial: "1s" });
  if (typeof delay === "object" && delay !== null && !Array.isArray(delay)) {
    return normalizeExponential(delay as ExponentialDelay);
  }
  const delaysMs = (Array.isArray(delay) ? delay : [delay]).map(parseDuration);
  if (delaysMs.length === 0) return { invalid: "the list of delays must not be empty" };
  if (!delaysMs.every((ms) => ms !== undefined)) {
    return {
      invalid: "delay must be 'fixed', 'exponential', a duration such as '5s', a list of those, or { initial }",
    };
  }
  return { kind: "list", delaysMs };
}

function normalizeExponential(delay: ExponentialDelay): RetryPolicy["delay"] | InvalidRetry {
  const unknown = unknownKey(delay, delayNames);
  if (unknown !== undefined) return unknown;
  const { factor = 2 } = delay;
  const initialMs = parseDuration(delay.initial);
  if (initialMs === undefined) return { invalid: "delay.initial must be a duration such as '1s'" };
  if (!(typeof factor === "number" && factor >= 1 && factor < Infinity)) {
    return { invalid: "delay.factor must be a number of at least 1" };
  }
  const maximumMs = delay.maximum === undefined ? Math.max(initialMs, defaultMaximumMs) : parseDuration(delay.maximum);
  if (maximumMs === undefined || maximumMs < initialMs) {
    return { invalid: "delay.maximum must be a duration that is not below delay.initial" };
  }
  return { kind: "exponential", initialMs, factor, maximumMs };
}

function unknownKey(value: unknown, known: ReadonlySet<string>): InvalidRetry | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { invalid: "it must be a number of attempts or an object" };
  }
  const key = Object.keys(value).find((name) => !known.has(name));
  return key === undefined ? undefined : { invalid: `it has no option '${key}', only ${[...known].join(", ")}` };
}

/**
 * How long to wait after a failed attempt, in whole ms; `null` when there is no further attempt. Pure.
 *
 * @param attempt the 1-based attempt that has just failed
 * @param random 0…1, drawn by the caller, who records the answer
 * @param failureName `failure.name`, looked up in the policy's `nonRetryable`
 * @param retryAfterMs a delay that the failure itself asked for: used as it is, without jitter
 */
export function nextDelay(
  policy: RetryPolicy,
  attempt: number,
  random: number,
  failureName?: string,
  retryAfterMs?: number,
): number | null {
  if (policy.maximumAttempts !== null && attempt >= policy.maximumAttempts) return null;
  if (failureName !== undefined && policy.nonRetryable.includes(failureName)) return null;
  if (retryAfterMs !== undefined) return clamp(retryAfterMs);
  return clamp(baseDelay(policy.delay, attempt) * (1 + policy.jitter * (2 * random - 1)));
}

/** {@link nextDelay} after a failure. */
export function nextDelayAfter(policy: RetryPolicy, attempt: number, random: number, failure: Failure): number | null {
  if (failure.nonRetryable === true) return null;
  return nextDelay(policy, attempt, random, failure.name, failure.retryAfterMs);
}

function baseDelay(delay: RetryPolicy["delay"], attempt: number): number {
  if (delay.kind === "list") return delay.delaysMs[Math.min(attempt, delay.delaysMs.length) - 1] ?? 0;
  // 0 × factorⁿ is NaN once the power has overflowed.
  return delay.initialMs === 0 ? 0 : Math.min(delay.initialMs * delay.factor ** (attempt - 1), delay.maximumMs);
}

function clamp(ms: number): number {
  return Math.round(Math.min(Math.max(ms, 0), maxDurationMs));
}
