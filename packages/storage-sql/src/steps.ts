import type { Query } from "./query.ts";

/** One statement that a program wants executed, and what it wants back. */
export interface Step {
  readonly query: Query;
  readonly args: object;
  /** `rows`: all rows. `row`: the first one or undefined. `count`: how many rows were changed. `nothing`: that it was executed. */
  readonly want: "rows" | "row" | "count" | "nothing";
  /** Of what is executed together, it comes last. */
  readonly isLast?: boolean;
}

/** Programs that have nothing to do with each other, one for each element of a batch. */
export class Apart {
  readonly elements: readonly unknown[];
  /** Elements with the same key come one after the other. */
  readonly keyOf: (element: unknown) => string;
  readonly program: (element: unknown) => Steps<unknown>;

  constructor(
    elements: readonly unknown[],
    keyOf: (element: unknown) => string,
    program: (element: unknown) => Steps<unknown>,
  ) {
    this.elements = elements;
    this.keyOf = keyOf;
    this.program = program;
  }
}

/** What a program can ask for: one statement, several in this order of which none needs another's answer, or programs apart. */
export type Request = Step | readonly Step[] | Apart;

/**
 * A program over a database: it yields what it needs, is resumed with the results, and returns its answer. It never touches a
 * driver, so the same program runs over a synchronous one and over asynchronous ones, which execute at once what needs no answer of
 * one another.
 */
export type Steps<T> = Generator<Request, T, unknown>;

/** All rows of a query. */
export function* rows<P extends object, R>(query: Query<P, R>, args: P): Steps<readonly R[]> {
  return (yield { query, args, want: "rows" }) as readonly R[];
}

/** The first row of a query, or undefined. */
export function* row<P extends object, R>(query: Query<P, R>, args: P): Steps<R | undefined> {
  return (yield { query, args, want: "row" }) as R | undefined;
}

/** Executes a statement and answers how many rows it changed. Each execution changes one row at most. */
export function* change<P extends object>(query: Query<P>, args: P): Steps<number> {
  return (yield { query, args, want: "count" }) as number;
}

/** Has a statement executed, before anything that this program asks for later. */
export function* write<P extends object>(query: Query<P>, args: P): Steps<void> {
  yield { query, args, want: "nothing" };
}

/** Executes a statement that changes one row at most, and then a query of one row: neither needs the other's answer. */
export function* changeAndRow<P extends object, Q extends object, R>(
  toChange: Query<P>,
  args: P,
  toFind: Query<Q, R>,
  findArgs: Q,
): Steps<readonly [changed: number, row: R | undefined]> {
  return (yield [
    { query: toChange, args, want: "count" },
    { query: toFind, args: findArgs, want: "row" },
  ]) as readonly [number, R | undefined];
}

/** The second of two rows that are read in this order. */
export function* rowAfter<P extends object, R>(query: Query<P, R>, first: P, second: P): Steps<R | undefined> {
  const answers = (yield [
    { query, args: first, want: "row" },
    { query, args: second, want: "row" },
  ]) as readonly [unknown, R | undefined];
  return answers[1];
}

/** The answers of a program for the elements of a batch, in their order. Those with the same key see what those before have written. */
export function* each<E, R>(
  elements: readonly E[],
  keyOf: (element: E) => string,
  program: (element: E) => Steps<R>,
): Steps<readonly R[]> {
  return (yield new Apart(elements, keyOf as never, program as never)) as readonly R[];
}

type Answers<P extends readonly Steps<unknown>[]> = { [K in keyof P]: P[K] extends Steps<infer T> ? T : never };

/** The answers of a few programs of which none needs another's: run in this order, or side by side. */
export function* together<P extends readonly Steps<unknown>[]>(...programs: P): Steps<Answers<P>> {
  const answers = yield* each([...programs.keys()], String, (at) => programs[at]!);
  return answers as Answers<P>;
}

/**
 * A program together with a short one that it can begin without. Where one is run after the other, that one comes first; on a
 * server, its statements come last of what is executed together, and their answers first.
 */
export function* alongside<T>(program: Steps<T>, other: Steps<unknown>): Steps<T> {
  const answers = yield* each(
    [atLast(other), program],
    (one) => (one === program ? "program" : "other"),
    (one) => one,
  );
  return answers[1] as T;
}

function* atLast(program: Steps<unknown>): Steps<unknown> {
  let next = program.next();
  while (next.done !== true) {
    const request = next.value;
    next = program.next(yield "want" in request ? { ...request, isLast: true } : request);
  }
  return next.value;
}

/** Runs a program over a driver that answers at once. */
export function runSync<T>(program: Steps<T>, execute: (step: Step) => unknown): T {
  let next = program.next();
  while (next.done !== true) next = program.next(answerSync(next.value, execute));
  return next.value;
}

function answerSync(request: Request, execute: (step: Step) => unknown): unknown {
  if ("want" in request) return execute(request);
  if (!(request instanceof Apart)) return request.map(execute);
  const answers: unknown[] = [];
  for (const element of request.elements) answers.push(runSync(request.program(element), execute));
  return answers;
}
