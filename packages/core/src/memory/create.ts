import { copyHeader } from "../model/copy-header.ts";
import { type Millis, workflowTaskId } from "../model/ids.ts";
import type { CreateRunResult, NewRun } from "../storage/run.ts";
import type { RunRecord, WorkflowTask } from "./records.ts";
import type { Namespace } from "./store.ts";
import { headerOf } from "./views.ts";

/** `createRuns`: run, workflow task and first event in one step; the map of ids decides who was first (I15). */
export function createRun(space: Namespace, run: NewRun, now: Millis): CreateRunResult {
  const known = space.runs.get(run.runId);
  if (known !== undefined) {
    const status = known.start.startHash === run.startHash ? "existing" : "conflict";
    return { status, run: { ...headerOf(known), status: known.status } };
  }
  const record = newRunRecord(run, now);
  record.task = newWorkflowTask(space, record, run.readyAt ?? now);
  space.runs.add(record);
  space.tasks.add(record.task);
  space.hints.give("queue", run.queue);
  return { status: "created", run: { ...headerOf(record), status: record.status } };
}

function newRunRecord(run: NewRun, now: Millis): RunRecord {
  const { baseSeq, ...start } = copyHeader(run, { createdAt: now, baseSeq: 0 });
  const { type, command, at, data } = run.started;
  return {
    start,
    baseSeq,
    status: "open",
    closedAt: null,
    output: null,
    failure: null,
    state: run.state,
    attributes: { ...run.attributes },
    events: [{ seq: 1, type, command, at, data }],
    lastCommitId: null,
    task: null,
    cacheKeys: null,
    dedupe: new Map(),
    discarded: 0,
  };
}

/** The task of a new run. */
export function newWorkflowTask(space: Namespace, run: RunRecord, readyAt: Millis): WorkflowTask {
  const { runId, incarnation, workflow, queue, priority } = run.start;
  return {
    kind: "workflow",
    id: workflowTaskId(runId, incarnation),
    run,
    name: workflow,
    queue,
    priority,
    epoch: 0,
    lease: null,
    deliveries: 0,
    visibleAt: readyAt,
    lane: space.tasks.lane(queue, "workflow", workflow),
    place: null,
    deadlinePlace: null,
    blocked: null,
    inboxAcked: 0,
    inboxLast: 0,
    inbox: [],
    activities: new Map(),
    completed: new Map(),
  };
}
