import type { Attributes, ParentLink, Run, RunHeader, RunSummary, TaskState } from "@perdure/core/storage";
import type { Selectable } from "kysely";
import type { Tables } from "./schema/tables.ts";

type RunsRow = Selectable<Tables["perdure_runs"]>;
/** What a statement answers for those of these columns that are of the table of runs, and asked for under their own names. */
type RunsColumns<C extends string> = Pick<
  RunsRow,
  C extends `perdure_runs.${infer N extends keyof RunsRow}` ? N : never
>;

/** The columns of a {@link RunHeader}. */
export const HEADER_COLUMNS = [
  "perdure_runs.id",
  "perdure_runs.incarnation",
  "perdure_runs.workflow",
  "perdure_runs.version",
  "perdure_runs.queue",
  "perdure_runs.priority",
  "perdure_runs.start_hash",
  "perdure_runs.parent_id",
  "perdure_runs.parent_incarnation",
  "perdure_runs.parent_seq",
  "perdure_runs.parent_close",
  "perdure_runs.input",
  "perdure_runs.created_at",
  "perdure_runs.deadline_at",
  "perdure_runs.base_seq",
] as const;

/** What a statement answers for the columns of a run's header. */
export type HeaderRow = RunsColumns<(typeof HEADER_COLUMNS)[number]>;

/** The columns of a {@link RunSummary}, with those of its {@link TaskState}; the task may be missing. */
export const SUMMARY_COLUMNS = [
  "perdure_runs.no",
  "perdure_runs.id",
  "perdure_runs.incarnation",
  "perdure_runs.workflow",
  "perdure_runs.version",
  "perdure_runs.queue",
  "perdure_runs.priority",
  "perdure_runs.parent_id",
  "perdure_runs.parent_incarnation",
  "perdure_runs.parent_seq",
  "perdure_runs.status",
  "perdure_runs.attributes",
  "perdure_runs.created_at",
  "perdure_runs.closed_at",
  "perdure_tasks.visible_at",
  "perdure_tasks.instance",
  "perdure_tasks.worker",
  "perdure_tasks.epoch",
  "perdure_tasks.deliveries",
  "perdure_tasks.blocked",
  "perdure_tasks.inbox_last",
  "perdure_tasks.inbox_acked",
] as const;

/** The columns of a {@link Run} beyond those of header and summary. */
export const DETAIL_COLUMNS = [
  "perdure_runs.output",
  "perdure_runs.failure",
  "perdure_runs.state",
  "perdure_runs.last_seq",
  "perdure_runs.commit_id",
  "perdure_tasks.last_seq as task_last_seq",
  "perdure_tasks.commit_id as task_commit_id",
] as const;

/** The task's columns of a row in which the task may be missing. */
interface TaskPart {
  readonly visible_at: number | null;
  readonly instance: string | null;
  readonly worker: string | null;
  readonly epoch: number | null;
  readonly deliveries: number | null;
  readonly blocked: string | null;
  readonly inbox_last: number | null;
  readonly inbox_acked: number | null;
}

export type SummaryRow = TaskPart & RunsColumns<(typeof SUMMARY_COLUMNS)[number]>;

export type RunRow = HeaderRow &
  SummaryRow &
  RunsColumns<(typeof DETAIL_COLUMNS)[number]> & {
    readonly task_last_seq: number | null;
    readonly task_commit_id: string | null;
  };

/** Such a row as the port shows it. */
export function headerOf(row: HeaderRow): RunHeader {
  return {
    runId: row.id,
    incarnation: row.incarnation,
    workflow: row.workflow,
    version: row.version,
    queue: row.queue,
    priority: row.priority,
    startHash: row.start_hash,
    parent: parentOf(row),
    parentClose: row.parent_close,
    input: row.input,
    createdAt: row.created_at,
    deadlineAt: row.deadline_at,
    baseSeq: row.base_seq,
  };
}

export function summaryOf(row: SummaryRow): RunSummary {
  return {
    runId: row.id,
    incarnation: row.incarnation,
    workflow: row.workflow,
    version: row.version,
    queue: row.queue,
    priority: row.priority,
    parent: parentOf(row),
    status: row.status,
    attributes: JSON.parse(row.attributes) as Attributes,
    createdAt: row.created_at,
    closedAt: row.closed_at,
    task: taskStateOf(row),
  };
}

export function runOf(row: RunRow): Run {
  const task = taskStateOf(row);
  return {
    ...headerOf(row),
    status: row.status,
    closedAt: row.closed_at,
    output: row.output,
    failure: row.failure,
    state: row.state,
    attributes: JSON.parse(row.attributes) as Attributes,
    lastSeq: row.task_last_seq ?? row.last_seq,
    lastCommitId: task === null ? row.commit_id : row.task_commit_id,
    task,
  };
}

function taskStateOf({
  visible_at,
  instance,
  worker,
  epoch,
  deliveries,
  blocked,
  inbox_last,
  inbox_acked,
}: TaskPart): TaskState | null {
  if (epoch === null) return null;
  return {
    readyAt: instance === null ? visible_at : null,
    leaseUntil: instance === null ? null : visible_at,
    workerId: worker,
    epoch,
    deliveries: deliveries ?? 0,
    blocked,
    unread: (inbox_last ?? 0) - (inbox_acked ?? 0),
  };
}

function parentOf(row: Pick<RunsRow, "parent_id" | "parent_incarnation" | "parent_seq">): ParentLink | null {
  const { parent_id: runId, parent_incarnation: incarnation, parent_seq: seq } = row;
  return runId === null || incarnation === null || seq === null ? null : { runId, incarnation, seq };
}
