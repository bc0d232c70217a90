import type { EventType, WorkflowEvent } from "@perdure/core";
import type { RunStatus } from "@perdure/core/storage";
import { check, equal } from "../assert.ts";
import { generationsOf } from "../generations.ts";
import type { RecordedRun } from "./recorded-run.ts";

/** What an event may follow within its command; `null`: nothing, it is the command's first. */
const FOLLOWS: Partial<Record<EventType, readonly (EventType | null)[]>> = {
  // It was attempted inline, and goes out as a task.
  ACTIVITY_SCHEDULED: [null, "ACTIVITY_SCHEDULED", "ACTIVITY_RETRYING"],
  ACTIVITY_RETRYING: [null, "ACTIVITY_SCHEDULED", "ACTIVITY_RETRYING"],
  ACTIVITY_COMPLETED: [null, "ACTIVITY_SCHEDULED", "ACTIVITY_RETRYING"],
  ACTIVITY_FAILED: [null, "ACTIVITY_SCHEDULED", "ACTIVITY_RETRYING"],
  TIMER_FIRED: ["TIMER_STARTED", "SIGNAL_AWAITED"],
  TIMER_CANCELLED: ["TIMER_STARTED"],
  SIGNAL_DELIVERED: ["SIGNAL_SENT"],
  CHILD_STARTED: ["CHILD_SCHEDULED"],
  CHILD_COMPLETED: ["CHILD_SCHEDULED", "CHILD_STARTED"],
  CHILD_FAILED: ["CHILD_SCHEDULED", "CHILD_STARTED"],
};

const STATUS: Partial<Record<EventType, RunStatus>> = {
  WORKFLOW_COMPLETED: "completed",
  WORKFLOW_FAILED: "failed",
  WORKFLOW_CANCELLED: "cancelled",
};

/**
 * A history that has ended is dense (I1), of good grammar, and what the run's row says (I5), with one terminal event (I9). Everything that
 * its code asked for has an outcome.
 */
export function checkHistory(record: RecordedRun): void {
  const last = checkGrammar(record);
  for (const [command, type] of last) {
    const open = type === "ACTIVITY_SCHEDULED" || type === "ACTIVITY_RETRYING" || type.startsWith("CHILD_S");
    check(!open, `command ${command} of run "${record.run.runId}" has an outcome (I5)`);
  }
}

/**
 * {@link checkHistory} of code that need not have waited for all that it asked for. Answers the last event of each command of the
 * last generation.
 */
export function checkGrammar({ run, history }: RecordedRun): ReadonlyMap<number, EventType> {
  const of = `of run "${run.runId}"`;
  const seqs = history.map(({ seq }) => seq);
  equal(
    seqs,
    history.map((_, index) => index + 1),
    `the sequence ${of} is dense (I1)`,
  );
  equal(run.lastSeq, history.length, `the row ${of} knows its head (I1)`);
  const starts = history.filter(({ type }) => type === "WORKFLOW_STARTED");
  check(
    starts.length === 1 && history[0] === starts[0],
    `the history ${of} starts with its only WORKFLOW_STARTED (I5)`,
  );
  const last = generationsOf(history).map((generation) => checkCommands(of, generation));
  const ends = history.filter(({ type }) => STATUS[type] !== undefined);
  check(ends.length === 1, `the history ${of} has one terminal event, not ${ends.length} (I9)`);
  check(ends[0] === history.at(-1), `nothing follows the terminal event ${of} (I5)`);
  equal(run.status, STATUS[ends[0]!.type], `the status ${of} is the fold of its history (I5)`);
  equal(run.task, null, `the task ${of} is gone when it is done (I9)`);
  return last.at(-1)!;
}

function checkCommands(of: string, history: readonly WorkflowEvent[]): ReadonlyMap<number, EventType> {
  const last = new Map<number, EventType>();
  for (const { seq, type, command } of history) {
    // A new generation counts its commands from 1.
    if (type === "WORKFLOW_CONTINUED_AS_NEW") last.clear();
    if (command === null) continue;
    const before = last.get(command) ?? null;
    const allowed = FOLLOWS[type] ?? [null];
    check(
      allowed.includes(before),
      `event ${seq} ${of}, ${type}, may follow ${before ?? "nothing"} in command ${command} (I5)`,
    );
    last.set(command, type);
  }
  return last;
}
