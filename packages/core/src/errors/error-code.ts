/** A call that cannot work as it was made, or a refusal that the caller can act on. */
export type UsageCode =
  | "run-not-found"
  | "run-exists"
  | "run-closed"
  | "nothing-to-retry"
  | "unknown-workflow"
  | "unknown-activity"
  | "duplicate-definition"
  | "invalid-argument"
  | "invalid-input"
  | "not-serializable"
  | "payload-too-large"
  | "outside-workflow"
  | "unsupported";

/** Workflow code that did something else than its history, or that waits for something which is not durable. */
export type DeterminismCode = "determinism" | "non-durable-await";

/** The storage cannot serve. Only `unavailable` is worth retrying. */
export type StorageCode =
  | "unavailable"
  | "corrupt"
  | "schema-version"
  | "read-only"
  | "misconfigured"
  | "missing-driver";

/** Thrown into workflow code by what it waits for. */
export type WorkflowCode = "activity-failed" | "child-failed" | "cancelled" | "timed-out";

/** Thrown to those who wait for a run's result. */
export type ResultCode = "run-failed" | "run-cancelled" | "result-timeout";

/** Thrown by activities to steer their retries. */
export type RetryCode = "retryable" | "non-retryable";

/** Every `code` of a PerdureError. Codes are stable: messages may change, these do not. */
export type ErrorCode = UsageCode | DeterminismCode | StorageCode | WorkflowCode | ResultCode | RetryCode;
