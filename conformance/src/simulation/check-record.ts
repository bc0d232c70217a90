import type { Millis } from "@perdure/core/storage";
import { check, equal, unique } from "../assert.ts";
import type { RecordedRun } from "../crash/recorded-run.ts";
import { generationsOf } from "../generations.ts";
import type { Worked } from "./activities.ts";
import type { Step } from "./program.ts";
import type { World } from "./world.ts";

/** So long after the storm every lease of the dead has ended, and somebody has looked for its run. */
const LEASES_END_MS = 8_000;
/** A timer fires so late at most when there is peace, and a worker is free. */
const LATE_MS = 1_000;

/** Confronts what is recorded of a run with its row, with when it was recorded, and with what its activities did. */
export function checkRecord(record: RecordedRun, state: unknown, world: World): void {
  checkRow(record, state);
  checkSignals(record, world.witness.accepted.get(record.run.runId) ?? []);
  checkTimers(record, world);
  checkActivities(record, world);
}

/** The row of a run is the fold of its history. */
function checkRow({ run, history }: RecordedRun, stored: unknown): void {
  const { runId } = run;
  let state: Record<string, unknown> = {};
  const attributes: Record<string, unknown> = {};
  for (const { type, data } of history) {
    if (type === "WORKFLOW_CONTINUED_AS_NEW") state = {};
    if (type === "STATE_SET") state[data.key] = data.value;
    if (type === "ATTRIBUTES_SET") Object.assign(attributes, data.attributes);
  }
  equal(run.attributes, attributes, `the attributes of run "${runId}" are the fold of its history (I3)`);
  equal(stored, state, `the state of run "${runId}" is the fold of its history (I3)`);
}

/** Accepted means recorded, in this order, also by a run that has ended before its code could see it. */
function checkSignals({ run, history }: RecordedRun, accepted: readonly string[]): void {
  const ids = history.flatMap(({ type, data }) => (type === "SIGNAL_RECEIVED" ? [data.id] : []));
  unique(ids, `no signal of run "${run.runId}" is received twice (I18)`);
  equal(
    ids,
    accepted,
    `run "${run.runId}" has recorded the signals that were accepted for it, in their order (I4, I18)`,
  );
}

/** A timer fires when its time has passed. Where the store's clock is set, a turn may go by its last answer. */
function checkTimers({ run, history }: RecordedRun, { witness, troubles, healedAt }: World): void {
  const acknowledged = witness.histories.get(run.runId)!;
  const punctualFrom = healedAt + LEASES_END_MS;
  for (const generation of generationsOf(history)) {
    const started = new Map<number | null, { readonly dueAt: Millis; readonly trulyDueAt: Millis }>();
    for (const { type, command, data, seq, at } of generation) {
      const { now, trulyAt } = acknowledged[seq - 1]!;
      if ((type === "TIMER_STARTED" || type === "SIGNAL_AWAITED") && data.dueAt !== undefined)
        started.set(command, { dueAt: data.dueAt, trulyDueAt: trulyAt + data.dueAt - now });
      const timer = type === "TIMER_FIRED" ? started.get(command) : undefined;
      if (timer === undefined) continue;
      const what = `the timer of command ${command} of run "${run.runId}" does not fire`;
      const early = timer.dueAt - (troubles.has("clock") ? at : Math.min(at, now));
      check(early <= 0, `${what} ${early} ms early (I10)`);
      const late = Math.min(trulyAt - Math.max(timer.trulyDueAt, punctualFrom), now - timer.dueAt);
      check(late <= LATE_MS, `${what} ${late} ms late (I10)`);
    }
  }
}

/** Each recorded result is that of an execution, and no attempt is executed again without a reason (I12, I13). */
function checkActivities({ run, history }: RecordedRun, { executions, troubles }: World): void {
  const { runId } = run;
  const own = executions.all.filter((execution) => execution.runId === runId);
  for (const generation of generationsOf(history)) {
    const inputs = new Map<number | null, unknown>();
    for (const { type, command, data } of generation) {
      if (!type.startsWith("ACTIVITY_") || !("activity" in data)) continue;
      if (data.input !== undefined) inputs.set(command, data.input);
      const step = inputs.get(command) as Step | undefined;
      if (type !== "ACTIVITY_COMPLETED" || step?.do !== "work") continue;
      const { execution, attempt } = data.output as Worked;
      const of = `step "${step.id}" of run "${runId}"`;
      const calls = own.filter((one) => one.step === step.id);
      const returned = executions.all[execution]!;
      equal(
        [returned.runId, returned.step, returned.attempt],
        [runId, step.id, attempt],
        `the result of ${of} is its own (I12)`,
      );
      equal(
        new Set(calls.map((call) => call.idempotencyKey)).size,
        1,
        `every execution of ${of} has the same idempotency key`,
      );
      equal(attempt, step.fails + 1, `${of} succeeds at its attempt (I16)`);
      if (troubles.size === 0)
        equal(
          calls.map((call) => call.attempt),
          Array.from({ length: attempt }, (_, at) => at + 1),
          `each attempt of ${of} is executed once where nothing is in its way (I13)`,
        );
    }
  }
}
