/** Perdure: durable workflows for TypeScript on the storage of your choice. */
export * from "./client/client.ts";
export type { AwaitedItem, CurrentActivity } from "./client/awaited.ts";
export type { RunDescription, ShownStatus } from "./client/describe.ts";
export type { CancelRequest } from "./client/explain.ts";
export type { ForkRunOptions, RetryRunOptions } from "./client/fork.ts";
export type { RunHandle, SignalOptions } from "./client/handle.ts";
export type { ListedRun, ListFilter, ListPage } from "./client/list.ts";
export type { StartOptions } from "./client/start.ts";
export type { Start } from "./client/starts.ts";
export { createJsonCodec, jsonCodec } from "./codec/json-codec.ts";
export type { Codec } from "./codec/codec.ts";
export type { CodecLimits } from "./codec/limits.ts";
export {
  type Activity,
  type ActivityCache,
  type ActivityOptions,
  type AnyActivity,
  activity,
} from "./define/activity.ts";
export type { ActivityContext, RunInTransaction, TransactionalContext } from "./define/activity-context.ts";
export type { ChildHandle, ChildOptions, StateHandle, WorkflowContext, WorkflowInfo } from "./define/context.ts";
export type { GraphEdge, GraphNode, WorkflowGraph } from "./define/graph.ts";
export { type AnySignal, type Signal, signal } from "./define/signal.ts";
export { type AnyStep, type Step, step } from "./define/step.ts";
export { toDot } from "./define/to-dot.ts";
export { toMermaid } from "./define/to-mermaid.ts";
export { type AnyWorkflow, type Workflow, type WorkflowOptions, workflow } from "./define/workflow.ts";
export type { Definition } from "./define/definition.ts";
export type { BlockReason } from "./engine/block-reason.ts";
export * from "./errors/index.ts";
export type { Duration } from "./model/duration.ts";
export type { EventData, EventOf, EventType, WorkflowEvent } from "./model/event.ts";
export type { Failure } from "./model/failure.ts";
export type { LogFields, Logger } from "./model/logger.ts";
export type { Payload } from "./model/payload.ts";
export type { ExponentialDelay, Retry, RetryDelay, RetryOptions, RetryPolicy } from "./model/retry.ts";
export type { AttributeValue, Attributes, ClosedStatus, ParentClose, RunStatus } from "./model/run.ts";
export type { Runtime } from "./model/runtime.ts";
export type { InferInput, InferOutput, Schema } from "./model/schema.ts";
export { consoleLogger } from "./runtime/console-logger.ts";
export type { StorageBackend } from "./storage/backend.ts";
export type { QueueStats, StorageStats } from "./storage/operations.ts";
export type { HistoryLimits } from "./worker/history-limits.ts";
export type { WorkerOptions } from "./worker/options.ts";
export { type Worker, createWorker } from "./worker/worker.ts";
