import { isDeepStrictEqual } from "node:util";
import { isPerdureError } from "@perdure/core/storage";
import { ConformanceFailure } from "./failure.ts";

/** Codes of errors that backends throw. */
export type ErrorCode =
  | "invalid-argument"
  | "payload-too-large"
  | "unsupported"
  | "unavailable"
  | "corrupt"
  | "schema-version"
  | "read-only"
  | "misconfigured";

/** Of the answers, those that may have this status. */
type WithStatus<A, S> = A extends { readonly status: infer Any } ? (S extends Any ? A : never) : never;

/** `what` is a sentence that says what should have been. */
export function check(condition: unknown, what: string): asserts condition {
  if (!condition) throw new ConformanceFailure(what);
}

/** Deep and strict by value: neither the order of keys nor prototypes matter, and an undefined member is absent. */
export function equal(actual: unknown, expected: unknown, what: string): void {
  if (!isEqual(actual, expected)) throw new ConformanceFailure(what, { expected, actual });
}

/** Whether {@link equal} takes them for equal. */
export function isEqual(actual: unknown, expected: unknown): boolean {
  return isDeepStrictEqual(plain(actual), plain(expected));
}

/** Every named member of `expected` stands so in `actual`; others are not looked at. */
export function contains(actual: unknown, expected: Readonly<Record<string, unknown>>, what: string): void {
  const record = (actual ?? {}) as Record<string, unknown>;
  const seen = Object.fromEntries(Object.keys(expected).map((key) => [key, record[key]]));
  equal(seen, expected, what);
}

/** The answer has this status; gives it back as what that status says it is. */
export function status<A extends { readonly status: string }, const S extends A["status"]>(
  answer: A | undefined,
  expected: S,
  what: string,
): WithStatus<A, S> {
  if (answer?.status !== expected) {
    throw new ConformanceFailure(what, { expected: { status: expected }, actual: answer });
  }
  return answer as WithStatus<A, S>;
}

/** The call is refused with an error of this code (I29). */
export async function throws(code: ErrorCode, what: string, call: () => Promise<unknown>): Promise<void> {
  let actual: unknown;
  try {
    actual = await call();
  } catch (error) {
    if (isPerdureError(error, code)) return;
    actual = { thrown: error };
  }
  throw new ConformanceFailure(what, { expected: { thrown: code }, actual });
}

/** The only element of a list. */
export function only<T>(items: readonly T[], what: string): T {
  if (items.length !== 1) throw new ConformanceFailure(what, { expected: "one element", actual: items });
  return items[0]!;
}

/** No value stands twice. */
export function unique(items: readonly unknown[], what: string): void {
  const twice = items.filter((item, index) => items.indexOf(item) !== index);
  equal(twice, [], what);
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return new Map(members.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, plain(member)]));
}
