import type { Query } from "./query.ts";

/** One statement that a program wants executed, and what it wants back. */
export interface Step {
  readonly query: Query;
  readonly args: object;
  /** `rows`: all rows. `row`: the first one or undefined. `count`: how many rows were changed. */
  readonly want: "rows" | "row" | "count";
}

/**
 * A program over a database: it yields the statements that it needs, one at a time, is resumed with their results, and returns
 * its answer. It never touches a driver, so the same program runs over a synchronous one and over asynchronous ones.
 */
export type Steps<T> = Generator<Step, T, unknown>;

/** All rows of a query. */
export function* rows<P extends object, R>(query: Query<P, R>, args: P): Steps<readonly R[]> {
  return (yield { query, args, want: "rows" }) as readonly R[];
}

/** The first row of a query, or undefined. */
export function* row<P extends object, R>(query: Query<P, R>, args: P): Steps<R | undefined> {
  return (yield { query, args, want: "row" }) as R | undefined;
}

/** Executes a statement and answers how many rows it changed. */
export function* change<P extends object>(query: Query<P>, args: P): Steps<number> {
  return (yield { query, args, want: "count" }) as number;
}

/** Runs a program over a driver that answers at once. */
export function runSync<T>(program: Steps<T>, execute: (step: Step) => unknown): T {
  let next = program.next();
  while (next.done !== true) next = program.next(execute(next.value));
  return next.value;
}

/** Runs a program over a driver that answers later. */
export async function runAsync<T>(program: Steps<T>, execute: (step: Step) => Promise<unknown>): Promise<T> {
  let next = program.next();
  // Each statement needs the answer of the one before.
  // oxlint-disable-next-line no-await-in-loop
  while (next.done !== true) next = program.next(await execute(next.value));
  return next.value;
}
