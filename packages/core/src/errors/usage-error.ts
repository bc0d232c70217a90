import type { UsageCode } from "./error-code.ts";
import { type ErrorOptions, PerdureError } from "./perdure-error.ts";

/** A call that cannot work as it was made. The code says why, the message what to do. */
export class UsageError extends PerdureError {
  readonly code: UsageCode;

  static {
    this.prototype.name = "UsageError";
  }

  constructor(code: UsageCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
