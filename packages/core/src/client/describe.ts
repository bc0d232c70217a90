import { readBlockReason, type BlockReason } from "../engine/block-reason.ts";
import { copyOwed, forkedFrom, type ForkedFrom } from "../engine/forked-prefix.ts";
import { openInHistory, type OpenItem } from "../engine/open-in-history.ts";
import { progressInHistory } from "../engine/progress-in-history.ts";
import type { WorkflowEvent } from "../model/event.ts";
import type { Millis, Seq } from "../model/ids.ts";
import type { Attributes, RunStatus } from "../model/run.ts";
import type { Run, TaskState } from "../storage/run.ts";

/** As people see it: an open run is `pending` (never claimed), `running` (leased) or `suspended` (parked). */
export type ShownStatus = Exclude<RunStatus, "open"> | "pending" | "running" | "suspended";

/** What a run is and does. Times are those of the storage's clock. */
export interface RunDescription {
  readonly runId: string;
  readonly workflow: string;
  readonly version: string | null;
  readonly status: ShownStatus;
  /** Why nothing happens, or what does: one sentence. */
  readonly why: string;
  readonly blocked: BlockReason | null;
  /**
   * The step of a stepped workflow that is under way; of a run that failed or was cancelled, the one in which that happened. `null`
   * before, between and after steps.
   */
  readonly currentStep: string | null;
  /** Ids for which `ctx.patched` has answered `true`. */
  readonly patches: readonly string[];
  /** Activities that are under way or wait for their next attempt. */
  readonly currentActivities: readonly {
    readonly name: string;
    readonly attempt: number;
    readonly retryAt: Date | null;
    /** Where it waits for another worker, or is executed by one; `null`: the worker that holds the run executes it. */
    readonly queue: string | null;
  }[];
  /** All that it waits for. */
  readonly waitingFor: readonly OpenItem[];
  readonly queue: string;
  readonly priority: number;
  readonly attributes: Attributes;
  readonly createdAt: Date;
  readonly closedAt: Date | null;
  readonly deadlineAt: Date | null;
  /** 1, and one more for each continue-as-new. */
  readonly generation: number;
  readonly events: number;
  readonly parentRunId: string | null;
  /** The run that it is a fork of, and the last of its events that it took over. */
  readonly forkedFrom: { readonly runId: string; readonly seq: Seq } | null;
}

export function shownStatus(
  run: { readonly status: RunStatus; readonly task: TaskState | null },
  now: Millis,
): ShownStatus {
  if (run.status !== "open") return run.status;
  const { task } = run;
  if (task === null || task.epoch === 0) return "pending";
  return task.leaseUntil !== null && task.leaseUntil > now ? "running" : "suspended";
}

/** `history` begins where the run's replay does; `first` is the first event of all. */
export function describeRun(
  run: Run,
  first: WorkflowEvent | undefined,
  history: readonly WorkflowEvent[],
  now: Millis,
): RunDescription {
  const from = forkedFrom(first);
  const owed = copyOwed(history);
  const waitingFor = run.status === "open" && owed === null ? openInHistory(history) : [];
  const blocked = run.task === null ? null : readBlockReason(run.task.blocked);
  const continued = history[0]?.type === "WORKFLOW_CONTINUED_AS_NEW" ? history[0].data.generation : 1;
  return {
    runId: run.runId,
    workflow: run.workflow,
    version: run.version,
    status: shownStatus(run, now),
    why: `${explain(run, blocked, waitingFor, now)}${run.status === "open" ? explainCopy(owed) : ""}`,
    blocked,
    ...progressInHistory(history),
    currentActivities: waitingFor.flatMap((awaited) =>
      awaited.what === "activity"
        ? [
            {
              name: awaited.name,
              attempt: awaited.attempt,
              retryAt: awaited.retryAt === null ? null : new Date(awaited.retryAt),
              queue: awaited.queue,
            },
          ]
        : [],
    ),
    waitingFor,
    queue: run.queue,
    priority: run.priority,
    attributes: run.attributes,
    createdAt: new Date(run.createdAt),
    closedAt: run.closedAt === null ? null : new Date(run.closedAt),
    deadlineAt: run.deadlineAt === null ? null : new Date(run.deadlineAt),
    generation: continued,
    events: run.lastSeq,
    parentRunId: run.parent?.runId ?? null,
    forkedFrom: from === null ? null : { runId: from.runId, seq: from.seq },
  };
}

function explain(run: Run, blocked: BlockReason | null, waitingFor: readonly OpenItem[], now: Millis): string {
  const { task } = run;
  if (run.status !== "open") return `It ended as ${run.status} at ${time(run.closedAt ?? now)}.`;
  if (task === null) return "It has no task: its record is damaged.";
  if (blocked !== null) {
    return `It is blocked (${blocked.code})${task.readyAt === null ? "" : ` until ${time(task.readyAt)}`}: ${blocked.message}`;
  }
  if (task.leaseUntil !== null && task.leaseUntil > now)
    return `Worker ${task.workerId} has it, with a lease until ${time(task.leaseUntil)}.`;
  if (task.leaseUntil !== null)
    return `Its worker ${task.workerId} has not come back since ${time(task.leaseUntil)}: the next free worker takes it. ${needed(run)}`;
  if (task.readyAt === null) return `It waits for ${list(waitingFor)}.`;
  if (task.readyAt > now && task.epoch === 0) return `Its start is due at ${time(task.readyAt)}.`;
  if (task.readyAt > now) return `It waits for ${list(waitingFor)}; it wakes at ${time(task.readyAt)} at the latest.`;
  return `It has been ready since ${time(task.readyAt)} and no worker has taken it. ${needed(run)}`;
}

function explainCopy(owed: ForkedFrom | null): string {
  if (owed === null) return "";
  return ` It is a fork, and the worker that takes it copies the history of run "${owed.runId}" up to seq ${owed.seq} first.`;
}

function needed({ queue, workflow }: Run): string {
  return `Is a worker running that serves queue "${queue}" and has workflow "${workflow}"?`;
}

function list(waitingFor: readonly OpenItem[]): string {
  if (waitingFor.length === 0) return "a message";
  const named = waitingFor.slice(0, 3).map((awaited) => {
    switch (awaited.what) {
      case "activity":
        return awaited.queue === null
          ? `attempt ${awaited.attempt} of activity "${awaited.name}"`
          : `activity "${awaited.name}" from a worker that serves queue "${awaited.queue}" and lists it`;
      case "timer":
        return `a timer until ${time(awaited.dueAt)}`;
      case "signal":
        return `signal "${awaited.name}"`;
      case "child":
        return `child run "${awaited.runId}" of workflow "${awaited.workflow}"`;
    }
  });
  const more = waitingFor.length - named.length;
  return `${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function time(at: Millis): string {
  return new Date(at).toISOString();
}
