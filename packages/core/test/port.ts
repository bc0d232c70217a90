/** Arguments of the port with sensible fields, so that a test names only those that it is about. */
import { memory, type VirtualClock, virtualClock } from "../src/memory.ts";
import type {
  ActivityCommit,
  Claim,
  ClaimedTask,
  ClaimedWorkflowTask,
  ClaimRequest,
  CommitResult,
  NewActivityTask,
  NewEvent,
  NewMessage,
  NewRun,
  RunQuery,
  StorageBackend,
  TaskCommit,
  TaskId,
  WorkflowCommit,
} from "../src/storage.ts";
import { activityTaskId } from "../src/storage.ts";

export const INCARNATION = "incarnation-0001";
export const LEASE = 10_000;

let commitIds = 0;

export function openStorage(): { readonly storage: StorageBackend; readonly clock: VirtualClock } {
  const clock = virtualClock(1_000_000);
  return { storage: memory({ clock }), clock };
}

export function event(type = "STATE_SET", data = "{}"): NewEvent {
  return { type, command: 1, at: 1_000_000, data };
}

export function newRun(runId: string, fields: Partial<NewRun> = {}): NewRun {
  return {
    runId,
    incarnation: INCARNATION,
    workflow: "order",
    version: null,
    queue: "default",
    priority: 0,
    startHash: "hash",
    parent: null,
    parentClose: null,
    input: "{}",
    state: null,
    attributes: {},
    readyAt: null,
    deadlineAt: null,
    started: event("WORKFLOW_STARTED"),
    ...fields,
  };
}

export function claimRequest(fields: Partial<ClaimRequest> = {}): ClaimRequest {
  return {
    workerId: "worker",
    workerInstance: "instance-1",
    holding: [],
    queues: ["default"],
    kinds: ["workflow", "activity"],
    handlers: { workflows: ["order"], activities: ["charge"] },
    limit: 100,
    leaseMs: LEASE,
    inlineEvents: 16,
    overdue: false,
    ...fields,
  };
}

export function message(runId: string, dedupeId: string, fields: Partial<NewMessage> = {}): NewMessage {
  return { runId, dedupeId, external: true, data: `"${dedupeId}"`, ...fields };
}

export function workflowCommit(
  claim: Claim,
  fields: Partial<Omit<WorkflowCommit, "kind" | "claim">> = {},
): WorkflowCommit {
  return {
    kind: "workflow",
    claim,
    commitId: `commit-${++commitIds}`,
    expectedSeq: 1,
    events: [],
    ackInbox: 0,
    next: { do: "park", wakeAt: null },
    ...fields,
  };
}

export function activityCommit(claim: Claim, next: ActivityCommit["next"]): ActivityCommit {
  return { kind: "activity", claim, commitId: `commit-${++commitIds}`, next };
}

export function activityTask(runId: string, seq: number, fields: Partial<NewActivityTask> = {}): NewActivityTask {
  return {
    taskId: activityTaskId(runId, INCARNATION, seq),
    activity: "charge",
    queue: "default",
    priority: 0,
    input: "{}",
    attempt: 1,
    readyAt: null,
    details: null,
    ...fields,
  };
}

export function runQuery(fields: Partial<RunQuery> = {}): RunQuery {
  return { limit: 100, ...fields };
}

/** Claims the one task that this request finds. */
export async function claimOne(storage: StorageBackend, fields: Partial<ClaimRequest> = {}): Promise<ClaimedTask> {
  const { tasks } = await storage.claimTasks(claimRequest({ workerInstance: `instance-${++commitIds}`, ...fields }));
  const [task] = tasks;
  if (task === undefined || tasks.length > 1) throw new Error(`Expected one task, claimed ${tasks.length}.`);
  return task;
}

/** Claims like a worker that then does what the test says. */
export function claimById(storage: StorageBackend, taskId: TaskId): Promise<ClaimedTask> {
  return claimOne(storage, { taskIds: [taskId] });
}

/** Creates a run and claims its workflow task. */
export async function startAndClaim(
  storage: StorageBackend,
  runId: string,
  fields: Partial<NewRun> = {},
): Promise<ClaimedWorkflowTask> {
  await storage.createRuns([newRun(runId, fields)]);
  const task = await claimOne(storage, { kinds: ["workflow"] });
  if (task.kind !== "workflow") throw new Error("Expected a workflow task.");
  return task;
}

export async function commit(storage: StorageBackend, one: TaskCommit): Promise<CommitResult> {
  const [result] = await storage.commitTasks([one]);
  return result!;
}

/** Creates a run, claims it, and ends it. */
export async function finishRun(storage: StorageBackend, runId: string, fields: Partial<NewRun> = {}): Promise<void> {
  const { claim } = await startAndClaim(storage, runId, fields);
  const result = await commit(storage, workflowCommit(claim, { close: { status: "completed" }, next: { do: "done" } }));
  if (result.status !== "ok") throw new Error(`Expected ok, got ${result.status}.`);
}
