import type { Execution } from "./execution.ts";

const thrown = new WeakMap<object, Execution>();

/** Notes that the code of an execution gets this error from the engine. Answers the error. */
export function thrownInto<E extends Error>(execution: Execution, error: E): E {
  thrown.set(error, execution);
  return error;
}

/** The execution whose code got this very error from the engine. */
export function executionThatGot(error: unknown): Execution | undefined {
  return typeof error === "object" && error !== null ? thrown.get(error) : undefined;
}
