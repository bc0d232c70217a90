export type * from "./error-code.ts";
export { DeterminismError } from "./determinism-error.ts";
export { type ErrorOf, isPerdureError } from "./is-perdure-error.ts";
export { type ErrorOptions, PerdureError } from "./perdure-error.ts";
export { ResultTimeoutError, RunCancelledError, RunFailedError } from "./result-errors.ts";
export { NonRetryableError, RetryableError } from "./retry-errors.ts";
export { StorageError } from "./storage-error.ts";
export { UsageError } from "./usage-error.ts";
export { ActivityFailedError, CancelledError, ChildFailedError, TimedOutError } from "./workflow-errors.ts";
