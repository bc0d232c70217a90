import { boundedJson, cutText } from "./bounded-json.ts";
import { maxDurationMs, parseDuration } from "./duration.ts";
import { type Failure, maxFailureCauses } from "./failure.ts";

const maxName = 256;
const maxMessage = 8_192;
const maxStack = 4_096;
const maxAggregated = 10;

/** The brand of Perdure's own errors. Read here without importing them: they stand a layer above. */
const errorBrand = Symbol.for("perdure.error");

/**
 * Turns whatever was thrown into recorded data of bounded size. Never throws: hostile getters, proxies and cyclic causes are
 * read around. A thrown value that is no error becomes a failure named `Error` whose message describes it.
 *
 * Of any error are kept: name, message, code, stack, cause, `details` (as bounded JSON; for an AggregateError its `errors`),
 * `nonRetryable: true` and `retryAfterMs`. `retryAfter` is read from Perdure's own errors only, since others give it in
 * seconds; an invalid one is ignored.
 *
 * @param now epoch ms; needed to resolve a `retryAfter` that is a Date, which is ignored without it
 */
export function toFailure(thrown: unknown, now?: number): Failure {
  return convert(thrown, now, new Set());
}

function convert(thrown: unknown, now: number | undefined, seen: Set<object>): Failure {
  if (typeof thrown !== "object" || thrown === null) return { name: "Error", message: describe(thrown) };
  seen.add(thrown);
  const message = read(thrown, "message");
  if (typeof message !== "string") return { name: "Error", message: describe(thrown) };

  const name = read(thrown, "name");
  const code = read(thrown, "code");
  const stack = read(thrown, "stack");
  const details = readDetails(thrown);
  const retryAfterMs = readRetryAfter(thrown, now);
  const cause = read(thrown, "cause");
  const isKept = cause !== undefined && seen.size <= maxFailureCauses && !seen.has(cause as object);
  return {
    name: typeof name === "string" && name !== "" ? cutText(name, maxName) : "Error",
    message: cutText(message, maxMessage),
    ...(typeof code === "string" && { code: cutText(code, maxName) }),
    ...(typeof code === "number" && Number.isFinite(code) && { code: code + 0 }),
    ...(typeof stack === "string" && { stack: cutText(stack, maxStack) }),
    ...(read(thrown, "nonRetryable") === true && { nonRetryable: true }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(details !== undefined && { details }),
    ...(isKept && { cause: convert(cause, now, seen) }),
  };
}

function readDetails(thrown: object): Record<string, unknown> | undefined {
  const errors = read(thrown, "errors");
  const details = boundedJson(
    read(thrown, "name") === "AggregateError" && errors ? summary(errors) : read(thrown, "details"),
  );
  const isRecord = typeof details === "object" && details !== null && !Array.isArray(details);
  return isRecord && Object.keys(details).length > 0 ? (details as Record<string, unknown>) : undefined;
}

function summary(errors: unknown): object {
  const list = boundedJson(errors);
  return { errors: Array.isArray(list) ? list.slice(0, maxAggregated) : list };
}

function readRetryAfter(thrown: object, now: number | undefined): number | undefined {
  const ms = read(thrown, "retryAfterMs");
  if (typeof ms === "number") return parseDuration(ms);
  if (read(thrown, errorBrand) !== true) return undefined;
  const retryAfter = read(thrown, "retryAfter");
  const at = dateMs(retryAfter);
  if (at === undefined) return parseDuration(retryAfter);
  return now === undefined || Number.isNaN(at) ? undefined : Math.min(Math.max(Math.round(at - now), 0), maxDurationMs);
}

function dateMs(value: unknown): number | undefined {
  try {
    return value instanceof Date ? value.getTime() : undefined;
  } catch {
    return undefined;
  }
}

function describe(thrown: unknown): string {
  if (typeof thrown === "string") return cutText(thrown, maxMessage);
  const json = boundedJson(thrown);
  return cutText(typeof json === "string" ? json : JSON.stringify(json), maxMessage);
}

function read(value: object, key: PropertyKey): unknown {
  try {
    return (value as Record<PropertyKey, unknown>)[key];
  } catch {
    return undefined;
  }
}
