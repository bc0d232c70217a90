import type { WorkflowEvent } from "@perdure/core";
import { check, equal } from "../assert.ts";
import { callOfKey, callsOf, isLater } from "./call.ts";
import { checkTasks } from "./check-tasks.ts";
import type { Acked, Began, Claimed, LedgerEntry, Renewed } from "./ledger.ts";
import type { RecordedRun } from "./recorded-run.ts";
import { withTrace } from "./trace.ts";
import type { Repetitions, Troubles } from "./troubles.ts";
import { shape } from "./watch.ts";
import { type Done, REMOTE } from "./workflows.ts";

/** A ledger's entries of one run, with their place in the ledger. */
interface RunLedger {
  readonly claimed: (Claimed & { readonly at: number })[];
  readonly renewed: Renewed[];
  readonly acked: (Acked & { readonly at: number })[];
  readonly began: (Began & { readonly at: number; readonly epoch: number })[];
}

/** The workers of a ledger that were too slow at some time. */
export function slowWorkers(entries: readonly LedgerEntry[]): Set<string> {
  return new Set(entries.filter(({ what }) => what === "stalled").map(({ by }) => by));
}

/** Confronts what the storage recorded of the runs with what the workers saw. */
export function checkLedger(
  entries: readonly LedgerEntry[],
  recorded: readonly RecordedRun[],
  troubles: Troubles,
): Repetitions {
  const runs = byRun(entries);
  const ofRun = Map.groupBy(entries, ({ run }) => run);
  const total = { executions: 0, afterKill: 0, afterLoss: 0, resumed: 0 };
  for (const [runId] of runs)
    check(
      recorded.some(({ run }) => run.runId === runId),
      `run "${runId}" was started by somebody`,
    );
  for (const record of recorded) {
    const ledger = runs.get(record.run.runId);
    check(ledger, `somebody was seen to work on run "${record.run.runId}"`);
    withTrace(entries, record.run.runId, () => {
      checkAcknowledged(record, ledger);
      checkOwners(record, ledger);
      checkDurableFirst(record, ledger);
      checkExecutions(record, ledger, troubles, total);
      checkTasks(record, ofRun.get(record.run.runId) ?? [], troubles, total);
    });
  }
  return total;
}

function byRun(entries: readonly LedgerEntry[]): Map<string, RunLedger> {
  const runs = new Map<string, RunLedger>();
  const epochs = new Map<string, number>();
  for (const [at, entry] of entries.entries()) {
    if (entry.run === null) continue;
    let run = runs.get(entry.run);
    if (run === undefined) runs.set(entry.run, (run = { claimed: [], renewed: [], acked: [], began: [] }));
    const holder = `${entry.by} ${entry.run}`;
    if (entry.what === "claimed") {
      epochs.set(holder, entry.epoch);
      run.claimed.push({ ...entry, at });
    } else if (entry.what === "renewed") run.renewed.push(entry);
    else if (entry.what === "acked") run.acked.push({ ...entry, at });
    else if (entry.what === "began") run.began.push({ ...entry, at, epoch: epochs.get(holder) ?? 0 });
  }
  return runs;
}

/** I4: what was acknowledged is there. I6: nobody wrote after somebody newer. */
function checkAcknowledged({ run, history }: RecordedRun, { acked }: RunLedger): void {
  checkStored(run.runId, history, acked);
  let epoch = 0;
  let head = 0;
  for (const commit of acked.toSorted((a, b) => a.after - b.after || a.epoch - b.epoch)) {
    const { after, events } = commit;
    check(
      after >= head,
      `no two commits of run "${run.runId}" were acknowledged for the place after event ${after} (I7)`,
    );
    check(
      commit.epoch >= epoch,
      `nothing of run "${run.runId}" was accepted under epoch ${commit.epoch} after epoch ${epoch} (I6)`,
    );
    epoch = commit.epoch;
    head = after + events.length;
  }
}

/** I4 of some commits of a run. */
export function checkStored(
  runId: string,
  history: readonly { readonly type: string; readonly command: number | null }[],
  acked: readonly Acked[],
): void {
  for (const { by, after, events } of acked)
    equal(
      history.slice(after, after + events.length).map(shape),
      events,
      `what the storage acknowledged to ${by} of run "${runId}" after event ${after} is in its history (I4)`,
    );
}

/** I8: nobody was given a run whose owner had given it up neither by word nor by time. */
function checkOwners({ run }: RecordedRun, { claimed, renewed, acked }: RunLedger): void {
  const claims = claimed.toSorted((a, b) => a.epoch - b.epoch);
  for (const [index, { epoch, by, now, commit: last }] of claims.entries()) {
    const before = claims[index - 1];
    if (before === undefined) continue;
    check(epoch > before.epoch, `epoch ${epoch} of run "${run.runId}" was issued once (I6)`);
    const ofBefore = (entry: { readonly epoch: number }): boolean => entry.epoch === before.epoch;
    const released = acked.some((commit) => ofBefore(commit) && commit.next !== "hold");
    if (released || by === before.by) continue;
    // It may have given the run up by a commit whose answer was lost, or whose answer it did not live to write down.
    if (last !== before.commit && !acked.some(({ commit }) => commit === last)) continue;
    const until = Math.max(before.until, ...renewed.filter(ofBefore).map((renewal) => renewal.until));
    check(
      now >= until,
      `run "${run.runId}" is not handed to ${by} ${until - now} ms before the lease of ${before.by} ends (I8)`,
    );
  }
}

/** I13: nothing is executed before everything that led to it is durable. Only parts run beside each other. */
function checkDurableFirst({ run, history }: RecordedRun, { claimed, acked, began }: RunLedger): void {
  const parts = new Set(began.filter(({ activity }) => activity === "part").map(({ key }) => callOfKey(key)));
  const calls = callsOf(history);
  for (const execution of began) {
    const mine = callOfKey(execution.key);
    const heads = [
      ...claimed.filter(({ at }) => at < execution.at).map(({ head }) => head),
      ...acked.filter(({ at }) => at < execution.at).map(({ after, events }) => after + events.length),
    ];
    const durable = Math.max(0, ...heads);
    for (const { call, event } of calls) {
      const recorded = recordedAttempt(event);
      if (recorded === null || event.seq <= durable) continue;
      const beside = isLater(call, mine) || (parts.has(mine) && parts.has(call));
      const before = call === mine ? recorded.attempt < execution.attempt : !beside;
      check(
        !before,
        `execution ${execution.execution} of call ${mine} of run "${run.runId}" does not begin before event ${event.seq}, which led to it, is durable (I13)`,
      );
    }
  }
}

/** I12: each recorded result is that of one execution. I13: each other execution has its cause. */
function checkExecutions(
  { run, history }: RecordedRun,
  { claimed, acked, began }: RunLedger,
  { killed, slow }: Troubles,
  total: { executions: number; afterKill: number; afterLoss: number },
): void {
  const outcomes = new Map<string, { readonly seq: number; readonly execution: string }>();
  for (const { call, event } of callsOf(history)) {
    const attempt = recordedAttempt(event);
    if (attempt === null) continue;
    const id = `${call}/${attempt.attempt}`;
    check(!outcomes.has(id), `attempt ${id} of run "${run.runId}" has one recorded result (I12)`);
    outcomes.set(id, { seq: event.seq, execution: attempt.execution });
  }
  for (const [id, { execution }] of outcomes) {
    const source = began.find((entry) => entry.execution === execution);
    check(source, `the recorded result of attempt ${id} of run "${run.runId}" comes from an execution (I12)`);
    equal(attemptId(source), id, `the recorded result of attempt ${id} of run "${run.runId}" is its own (I12)`);
  }
  total.executions += began.length;
  for (const execution of began) {
    const what = `execution ${execution.execution} of ${execution.activity}, attempt ${attemptId(execution)} of run "${run.runId}"`;
    check(execution.epoch > 0, `${what}, was by an owner of the run (I6)`);
    const outcome = outcomes.get(attemptId(execution));
    check(outcome, `${what}, is known to its history (I12)`);
    if (outcome.execution === execution.execution) continue;
    const twin = began.find(
      (other) => other !== execution && attemptId(other) === attemptId(execution) && other.epoch === execution.epoch,
    );
    check(!twin || twin.by !== execution.by, `${what}, happened once under epoch ${execution.epoch} (I13)`);
    const released = acked.find(({ epoch, next }) => epoch === execution.epoch && next !== "hold");
    check(
      !released,
      `${what}, was not forgotten by its owner, who gave the run up under epoch ${execution.epoch} (I13)`,
    );
    const recordedAt = acked.find(
      ({ after, events }) => after < outcome.seq && outcome.seq <= after + events.length,
    )?.at;
    const late = recordedAt !== undefined && execution.at > recordedAt;
    if (killed.has(execution.by) && !late) {
      total.afterKill++;
      continue;
    }
    const takenOver = claimed.some(({ epoch }) => epoch > execution.epoch);
    check(takenOver, `${what}, whose result was dropped, was followed by another owner's (I13)`);
    check(killed.has(execution.by) || slow.has(execution.by), `${what}, was not repeated without a cause (I13)`);
    total.afterLoss++;
  }
}

function attemptId({ key, attempt }: Began): string {
  return `${callOfKey(key)}/${attempt}`;
}

/** Which attempt an event records, and which execution it names. Those of others have a ledger of their own. */
function recordedAttempt(event: WorkflowEvent): { readonly attempt: number; readonly execution: string } | null {
  if ("activity" in event.data && event.data.activity === REMOTE) return null;
  switch (event.type) {
    case "ACTIVITY_COMPLETED":
      return { attempt: event.data.attempt, execution: (event.data.output as Done).execution };
    case "ACTIVITY_RETRYING":
    case "ACTIVITY_FAILED":
      return { attempt: event.data.attempt, execution: event.data.failure.message };
    default:
      return null;
  }
}
