import type { ErrorCode } from "./error-code.ts";

/** Marks Perdure's errors in every copy of this package. */
export const errorBrand: unique symbol = Symbol.for("perdure.error");

/** What an error may say besides its message. */
export interface ErrorOptions {
  /** Facts for programs: ids, limits, paths. Never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** The error underneath, a driver's for example. */
  readonly cause?: unknown;
}

/**
 * The root of all errors that Perdure throws. Recognise one with `isPerdureError(error, code)`, which also works across two
 * installed copies of the package, where `instanceof` does not.
 */
export abstract class PerdureError extends Error {
  abstract readonly code: ErrorCode;
  /** Facts for programs, by name; empty when there are none. */
  readonly details: Readonly<Record<string, unknown>>;

  /** @param message one sentence of what happened, with ids, and one of what to do */
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.details = options.details ?? {};
  }

  get [errorBrand](): true {
    return true;
  }
}
