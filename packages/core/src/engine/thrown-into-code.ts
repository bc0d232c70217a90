import type { Logger } from "../model/logger.ts";
import type { RunHeader } from "../model/run.ts";

/** The run whose code gets an error, and where to say so. */
interface Thrower {
  readonly run: RunHeader;
  readonly environment: { readonly logger: Logger };
}

const thrown = new WeakMap<object, Thrower>();

/** Notes that the code of a run gets this error from the engine. Answers the error. */
export function thrownInto<E extends Error>(execution: Thrower, error: E): E {
  thrown.set(error, execution);
  return error;
}

/** Whose code got this very error from the engine. */
export function whoGot(error: unknown): Thrower | undefined {
  return typeof error === "object" && error !== null ? thrown.get(error) : undefined;
}
