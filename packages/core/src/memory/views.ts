import type { Run, RunSummary, TaskState } from "../storage/run.ts";
import type { StoredEvent } from "../storage/event.ts";
import type { StoredMessage } from "../storage/message.ts";
import type { RunHeader } from "../model/run.ts";
import type { RunRecord, WorkflowTask } from "./records.ts";

// What goes out is always a copy: whoever changes an answer changes nothing here.

export function headerOf(run: RunRecord): RunHeader {
  const { parent } = run.start;
  return { ...run.start, parent: parent && { ...parent }, baseSeq: run.baseSeq };
}

export function runOf(run: RunRecord): Run {
  return {
    ...headerOf(run),
    status: run.status,
    closedAt: run.closedAt,
    output: run.output,
    failure: run.failure,
    state: run.state,
    attributes: { ...run.attributes },
    lastSeq: run.events.length,
    lastCommitId: run.lastCommitId,
    task: run.task && stateOf(run.task),
  };
}

export function summaryOf(run: RunRecord): RunSummary {
  const { runId, incarnation, workflow, version, queue, priority, parent, createdAt } = run.start;
  return {
    runId,
    incarnation,
    workflow,
    version,
    queue,
    priority,
    parent: parent && { ...parent },
    status: run.status,
    attributes: { ...run.attributes },
    createdAt,
    closedAt: run.closedAt,
    task: run.task && stateOf(run.task),
  };
}

function stateOf(task: WorkflowTask): TaskState {
  return {
    readyAt: task.lease === null ? task.visibleAt : null,
    leaseUntil: task.lease?.until ?? null,
    workerId: task.lease?.workerId ?? null,
    epoch: task.epoch,
    deliveries: task.deliveries,
    blocked: task.blocked,
    unread: task.inboxLast - task.inboxAcked,
  };
}

export function eventsOf(run: RunRecord, after: number, limit: number): StoredEvent[] {
  return run.events
    .slice(after, after + limit)
    .map(({ seq, type, command, at, data }) => ({ seq, type, command, at, data }));
}

/** The messages after `inboxAcked`, and after `acked` if that is further. */
export function messagesOf(task: WorkflowTask, acked: number = task.inboxAcked): StoredMessage[] {
  return task.inbox.slice(acked - task.inboxAcked).map(({ no, at, dedupeId, data }) => ({ no, at, dedupeId, data }));
}
