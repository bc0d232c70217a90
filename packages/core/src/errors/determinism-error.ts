import type { DeterminismCode } from "./error-code.ts";
import { type ErrorOptions, PerdureError } from "./perdure-error.ts";

/** Workflow code cannot be replayed. It blocks the run, which goes on after the code was corrected; it never fails it. */
export class DeterminismError extends PerdureError {
  readonly code: DeterminismCode;

  static {
    this.prototype.name = "DeterminismError";
  }

  constructor(code: DeterminismCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
