import type { StorageCode } from "./error-code.ts";
import { type ErrorOptions, PerdureError } from "./perdure-error.ts";

/** The storage cannot serve. The same cause gives the same code on every backend; the driver's own error is the `cause`. */
export class StorageError extends PerdureError {
  readonly code: StorageCode;

  static {
    this.prototype.name = "StorageError";
  }

  constructor(code: StorageCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Whether the same call may succeed later: true for `unavailable`, and for nothing else. */
  get retryable(): boolean {
    return this.code === "unavailable";
  }
}
