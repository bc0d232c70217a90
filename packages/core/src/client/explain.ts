import type { BlockReason } from "../engine/block-reason.ts";
import type { ForkedFrom } from "../engine/forked-prefix.ts";
import { sentence } from "../errors/sentence.ts";
import { cutText } from "../model/bounded-json.ts";
import type { Failure } from "../model/failure.ts";
import type { Millis } from "../model/ids.ts";
import type { Run } from "../storage/run.ts";
import type { AwaitedItem, CurrentActivity } from "./awaited.ts";

/** That a run was asked to cancel. */
export interface CancelRequest {
  readonly at: Date;
  readonly reason: string | null;
}

/** What is known of a run beside its record. */
interface Facts {
  readonly blocked: BlockReason | null;
  readonly waitingFor: readonly AwaitedItem[];
  readonly cancelRequested: CancelRequest | null;
  readonly failure: Failure | null;
  /** Of a fork: the history that it has not got yet. */
  readonly owed: ForkedFrom | null;
}

/** How much of what a run waits for is named. */
const LISTED = 3;

/** How much of an error's message is quoted. */
const QUOTED_CHARACTERS = 300;

/** Why a run is not moving, or what it does, in a few sentences. */
export function explain(run: Run, facts: Facts, now: Millis): string {
  const sentences = [explainStanding(run, facts, now)];
  if (run.status === "open") sentences.push(...explainCopy(facts.owed), ...explainMessages(run, facts.cancelRequested));
  return sentences.join(" ");
}

function explainStanding(run: Run, { blocked, waitingFor, failure }: Facts, now: Millis): string {
  const { task } = run;
  if (run.status !== "open") return explainEnd(run, failure);
  if (task === null) return "It has no task: its record is damaged.";
  if (blocked !== null) {
    return `It is blocked (${blocked.code})${task.readyAt === null ? "" : ` until ${time(task.readyAt)}`}: ${blocked.message}`;
  }
  if (task.leaseUntil !== null && task.leaseUntil > now) {
    const busy = waitingFor.length === 0 ? "" : `; it waits for ${list(waitingFor)}`;
    return `Worker ${task.workerId} has it, with a lease until ${time(task.leaseUntil)}${busy}.`;
  }
  if (task.leaseUntil !== null)
    return `Its worker ${task.workerId} has not come back since ${time(task.leaseUntil)}: the next free worker takes it. ${needed(run)}`;
  if (task.readyAt === null) return `It waits for ${list(waitingFor)}.`;
  if (task.readyAt > now && task.epoch === 0) return `Its start is due at ${time(task.readyAt)}.`;
  if (task.readyAt > now) return `It waits for ${list(waitingFor)}${explainWake(task.readyAt, waitingFor)}.`;
  return `It has been ready since ${time(task.readyAt)} and no worker has taken it. ${needed(run)}`;
}

function explainEnd({ status, closedAt }: Run, failure: Failure | null): string {
  const at = closedAt === null ? "" : ` at ${time(closedAt)}`;
  return `It ended as ${status}${at}${failure === null ? "." : `: ${sentence(quoted(failure))}`}`;
}

/** What it waits for mostly says itself when it wakes; if not, it is the run's deadline. */
function explainWake(at: Millis, waitingFor: readonly AwaitedItem[]): string {
  const isSaid = waitingFor.slice(0, LISTED).some((awaited) => wakesAt(awaited)?.getTime() === at);
  return isSaid ? "" : `; it wakes at ${time(at)} at the latest`;
}

function wakesAt(awaited: AwaitedItem): Date | null {
  if (awaited.what === "activity") return awaited.retryAt;
  return awaited.what === "child" ? null : awaited.dueAt;
}

function explainCopy(owed: ForkedFrom | null): readonly string[] {
  if (owed === null) return [];
  return [
    `It is a fork, and the worker that takes it copies the history of run "${owed.runId}" up to seq ${owed.seq} first.`,
  ];
}

function explainMessages({ task }: Run, cancel: CancelRequest | null): readonly string[] {
  const unread = task?.unread ?? 0;
  return [
    ...(cancel === null
      ? []
      : [
          `It was asked to cancel at ${cancel.at.toISOString()}${cancel.reason === null ? "." : `: ${sentence(cancel.reason)}`}`,
        ]),
    ...(unread === 0 ? [] : [`${unread === 1 ? "A message waits" : `${unread} messages wait`} for it in its inbox.`]),
  ];
}

function needed({ queue, workflow }: Run): string {
  return `Is a worker running that serves queue "${queue}" and has workflow "${workflow}"?`;
}

function list(waitingFor: readonly AwaitedItem[]): string {
  if (waitingFor.length === 0) return "a message";
  const more = waitingFor.length - LISTED;
  return `${waitingFor.slice(0, LISTED).map(named).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function named(awaited: AwaitedItem): string {
  switch (awaited.what) {
    case "activity":
      return namedActivity(awaited);
    case "timer":
      return `a timer until ${awaited.dueAt.toISOString()}`;
    case "signal":
      return `signal "${awaited.name}"${awaited.dueAt === null ? "" : ` until ${awaited.dueAt.toISOString()}`}`;
    case "child":
      return `child run "${awaited.runId}" of workflow "${awaited.workflow}"`;
  }
}

function namedActivity({ name, attempt, retryAt, queue, lastFailure }: CurrentActivity): string {
  if (queue !== null) return `activity "${name}" from a worker that serves queue "${queue}" and lists it`;
  const due = retryAt === null ? "" : ` at ${retryAt.toISOString()}`;
  const why = lastFailure === null ? "" : ` (attempt ${attempt - 1} failed: ${quoted(lastFailure)})`;
  return `attempt ${attempt} of activity "${name}"${due}${why}`;
}

function time(at: Millis): string {
  return new Date(at).toISOString();
}

function quoted({ message }: Failure): string {
  return cutText(message, QUOTED_CHARACTERS);
}
