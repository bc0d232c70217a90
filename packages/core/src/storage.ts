/** The port: what a storage backend implements, and what it may import. */
export { StorageError, UsageError, isPerdureError } from "./errors/index.ts";
export {
  type InboxNo,
  type Millis,
  type Seq,
  type TaskAddress,
  type TaskId,
  activityTaskId,
  parseTaskId,
  workflowTaskId,
} from "./model/ids.ts";
export { type Change, type Subject, subjectOf } from "./memory/change.ts";
export type { MemoryClock } from "./memory/clock.ts";
export { Replica, type Written } from "./memory/replica.ts";
export { copyHeader } from "./model/copy-header.ts";
export type { Payload } from "./model/payload.ts";
export type {
  AttributeValue,
  Attributes,
  ClosedStatus,
  ParentClose,
  ParentLink,
  RunHeader,
  RunStatus,
} from "./model/run.ts";
export * from "./storage/backend.ts";
export * from "./storage/byte-order.ts";
export * from "./storage/cache.ts";
export * from "./storage/commit.ts";
export * from "./storage/cursor.ts";
export * from "./storage/event.ts";
export * from "./storage/info.ts";
export * from "./storage/message.ts";
export * from "./storage/operations.ts";
export * from "./storage/run.ts";
export * from "./storage/task.ts";
export * from "./storage/under-way.ts";
export * from "./storage/validate.ts";
export * from "./storage/verb-checks.ts";
