import type { StorageAccess } from "../batch/storage-access.ts";
import { requireAttributes } from "../define/require-attributes.ts";
import { requireName } from "../define/require-name.ts";
import { copyOwed, forkedFrom, type ForkedFrom } from "../engine/forked-prefix.ts";
import { cancelledAt, failedAt } from "../engine/retry-point.ts";
import { UsageError } from "../errors/index.ts";
import { requireDuration } from "../errors/require-duration.ts";
import type { Duration } from "../model/duration.ts";
import { type EventOf, isTerminal, type WorkflowEvent } from "../model/event.ts";
import type { Seq } from "../model/ids.ts";
import type { Attributes } from "../model/run.ts";
import type { NewRun, Run } from "../storage/run.ts";
import { identify, requirePriority } from "./start.ts";

/** How a run that goes on from another's history is started. What is left out is as it was for that run. */
export interface RetryRunOptions {
  /** The new run's id, 1 … 255 UTF-8 bytes. Default: random. Any number of calls with the same id make one run. */
  readonly id?: string;
  /** Makes the id, as for a start. Not together with `id`. */
  readonly idempotencyKey?: string;
  readonly queue?: string;
  /** −9 … 9. */
  readonly priority?: number;
  /** Counted from now. */
  readonly timeout?: Duration;
  /** Take the place of those that the run was started with; what its code has set stays set. */
  readonly attributes?: Attributes;
}

export const RETRY_OPTIONS = {
  id: true,
  idempotencyKey: true,
  queue: true,
  priority: true,
  timeout: true,
  attributes: true,
} as const;

/** Where a fork leaves its source's history, and how it is started. Without a place it takes over all but the end. */
export interface ForkRunOptions extends RetryRunOptions {
  /** Right before the step of this name began; for the first time, in the newest generation that has it. */
  readonly beforeStep?: string;
  /** Right before this event: 2 … one more than there are. */
  readonly beforeSeq?: Seq;
}

/** The first event that a fork leaves out. @throws UsageError `invalid-argument` */
export function forkPoint(run: Run, history: readonly WorkflowEvent[], options: ForkRunOptions): Seq {
  const { beforeStep, beforeSeq } = options;
  if (beforeStep !== undefined && beforeSeq !== undefined)
    throw invalid(run, "handle.fork got both `beforeStep` and `beforeSeq`. Pass one.");
  if (beforeStep !== undefined) return stepStart(run, history, beforeStep);
  if (beforeSeq === undefined) return history.length + 1;
  if (Number.isSafeInteger(beforeSeq) && beforeSeq >= 2 && beforeSeq <= history.length + 1) return beforeSeq;
  throw invalid(
    run,
    `handle.fork cannot leave out the events of run "${run.runId}" from seq ${String(beforeSeq)} on: it has ${history.length}. Give a beforeSeq from 2 to ${history.length + 1}.`,
  );
}

function stepStart(run: Run, history: readonly WorkflowEvent[], name: string): Seq {
  let found: Seq | undefined;
  const names = new Set<string>();
  let isNewGeneration = false;
  for (const event of history) {
    if (event.type === "WORKFLOW_CONTINUED_AS_NEW") isNewGeneration = true;
    if (event.type !== "STEP_STARTED") continue;
    names.add(event.data.step);
    if (event.data.step !== name || (found !== undefined && !isNewGeneration)) continue;
    found = event.seq;
    isNewGeneration = false;
  }
  if (found !== undefined) return found;
  const known = names.size === 0 ? "no step" : `the steps ${[...names].map((step) => `"${step}"`).join(", ")}`;
  throw invalid(
    run,
    `Run "${run.runId}" has not begun a step "${name}": its history has ${known}. Fork it before one that is there, or by beforeSeq.`,
  );
}

/** The first event that a retry leaves out. @throws UsageError `nothing-to-retry` */
export function retryPoint(run: Run, history: readonly WorkflowEvent[]): Seq {
  if (run.status === "failed" && copyOwed(history) === null) return failedAt(history);
  if (run.status === "cancelled" && copyOwed(history) === null) {
    const { seq, achieved } = cancelledAt(history);
    if (achieved === undefined) return seq;
    throw nothingToRetry(
      run,
      `was cancelled at seq ${seq} and has cleaned up since (${achieved.type} at seq ${achieved.seq}): a retry would forget that. If that is what you want, call handle.fork({ beforeSeq: ${seq} }).`,
    );
  }
  if (run.status === "open")
    throw nothingToRetry(run, "is still open. Wait for its end; if it is blocked, call handle.unblock(); or fork it.");
  if (run.status === "completed")
    throw nothingToRetry(run, "has completed. Start a new run, or call handle.fork() with the place to go on from.");
  throw nothingToRetry(run, "is a fork that never got its history. Fork another run.");
}

/**
 * The record of a new run that goes on with another's history up to `before`. Who claims it first copies that history.
 * @throws UsageError `invalid-argument`
 */
export function forkedRun(
  access: StorageAccess,
  source: Run,
  history: readonly WorkflowEvent[],
  before: Seq,
  options: RetryRunOptions,
): NewRun {
  const { workflow, version, input } = source;
  const started = history[0] as EventOf<"WORKFLOW_STARTED">;
  const from = originOf(source, history, Math.min(before - 1, lastKept(history)));
  const attributes =
    options.attributes === undefined ? (started.data.attributes ?? {}) : requireAttributes(options.attributes);
  const timeoutMs =
    options.timeout === undefined ? timeoutOf(source, started) : requireDuration(options.timeout, "timeout of a fork");
  const data = {
    workflow,
    ...(version !== null && { version }),
    ...(Object.keys(attributes).length > 0 && { attributes }),
    forkedFrom: from,
  };
  return {
    ...identify(access, workflow, { fork: from.incarnation, seq: from.seq }, options),
    incarnation: access.runtime.id(),
    workflow,
    version,
    queue: options.queue === undefined ? source.queue : requireName(options.queue, "queue of a fork"),
    priority: options.priority === undefined ? source.priority : requirePriority(options.priority),
    parent: null,
    parentClose: null,
    input,
    state: null,
    attributes,
    readyAt: null,
    deadlineAt: timeoutMs === null ? null : access.clock.latest() + timeoutMs,
    // The code began when the source began: its clock goes on from there.
    started: { type: "WORKFLOW_STARTED", command: null, at: started.at, data: JSON.stringify(data) },
  };
}

function lastKept(history: readonly WorkflowEvent[]): Seq {
  return isTerminal(history.at(-1)!.type) ? history.length - 1 : history.length;
}

/** A source that is a fork itself may have copied what is copied from it. */
function originOf({ runId, incarnation }: Run, history: readonly WorkflowEvent[], seq: Seq): ForkedFrom {
  if (copyOwed(history) !== null) {
    throw new UsageError(
      "invalid-argument",
      `Run "${runId}" is a fork that has not got its own history yet. Fork it when a worker has taken it, or fork run "${forkedFrom(history[0])!.runId}".`,
      { details: { runId } },
    );
  }
  const next = history.find((event): event is EventOf<"FORKED"> => event.type === "FORKED" && event.seq > seq);
  const origin = next === undefined ? undefined : (next.data.origin ?? next.data.fromIncarnation);
  return { runId, incarnation, seq, ...(origin !== undefined && { origin }) };
}

/** A fork counts its time-out from its own start, not from the beginning of its history. */
function timeoutOf({ createdAt, deadlineAt }: Run, started: EventOf<"WORKFLOW_STARTED">): number | null {
  if (deadlineAt === null) return null;
  return deadlineAt - (started.data.forkedFrom === undefined ? started.at : createdAt);
}

function invalid({ runId }: Run, message: string): UsageError {
  return new UsageError("invalid-argument", message, { details: { runId } });
}

function nothingToRetry({ runId }: Run, why: string): UsageError {
  return new UsageError("nothing-to-retry", `Run "${runId}" ${why}`, { details: { runId } });
}
