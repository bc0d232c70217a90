import { readBlockReason, type BlockReason } from "../engine/block-reason.ts";
import { copyOwed, forkedFrom } from "../engine/forked-prefix.ts";
import { openInHistory } from "../engine/open-in-history.ts";
import { progressInHistory } from "../engine/progress-in-history.ts";
import type { WorkflowEvent } from "../model/event.ts";
import type { Failure } from "../model/failure.ts";
import type { Millis, Seq } from "../model/ids.ts";
import type { Attributes, RunStatus } from "../model/run.ts";
import type { Run, TaskState } from "../storage/run.ts";
import { awaitedItem, type AwaitedItem, type CurrentActivity } from "./awaited.ts";
import { explain, type CancelRequest } from "./explain.ts";

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
  readonly currentActivities: readonly CurrentActivity[];
  /** All that it waits for, in the order in which its code asked. */
  readonly waitingFor: readonly AwaitedItem[];
  /** That it was asked to cancel; also while a shield keeps that from its code, and after the code has answered. */
  readonly cancelRequested: CancelRequest | null;
  /** Why it failed, or was cancelled. */
  readonly failure: Failure | null;
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

/** `history` begins where the run's replay does; `first` is the first event of all; `failure` is why the run ended. */
export function describeRun(
  run: Run,
  first: WorkflowEvent | undefined,
  history: readonly WorkflowEvent[],
  failure: Failure | null,
  now: Millis,
): RunDescription {
  const from = forkedFrom(first);
  const owed = copyOwed(history);
  const waitingFor = (run.status === "open" && owed === null ? openInHistory(history) : []).map(awaitedItem);
  const cancelRequested = cancelRequestIn(history);
  const blocked = run.task === null ? null : readBlockReason(run.task.blocked);
  const continued = history[0]?.type === "WORKFLOW_CONTINUED_AS_NEW" ? history[0].data.generation : 1;
  return {
    runId: run.runId,
    workflow: run.workflow,
    version: run.version,
    status: shownStatus(run, now),
    why: explain(run, { blocked, waitingFor, cancelRequested, failure, owed }, now),
    blocked,
    ...progressInHistory(history),
    currentActivities: waitingFor.flatMap((awaited) => (awaited.what === "activity" ? [currentActivity(awaited)] : [])),
    waitingFor,
    cancelRequested,
    failure,
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

function currentActivity({ name, attempt, retryAt, queue, lastFailure }: CurrentActivity): CurrentActivity {
  return { name, attempt, retryAt, queue, lastFailure };
}

function cancelRequestIn(history: readonly WorkflowEvent[]): CancelRequest | null {
  for (const { type, data, at } of history) {
    if (type === "CANCEL_REQUESTED") return { at: new Date(at), reason: data.reason ?? null };
    if (type === "WORKFLOW_CONTINUED_AS_NEW" && data.cancelRequested !== undefined)
      return { at: new Date(at), reason: data.cancelRequested.reason ?? null };
  }
  return null;
}
