import type { LedgerEntry } from "./ledger.ts";
import type { Histories } from "./watch.ts";

/** What the demo has seen. */
export interface Evidence {
  /** The histories when the worker was dead and nobody else was there to write. */
  readonly atKill: Histories;
  readonly atEnd: Histories;
  /** What the activities did until the worker was dead, and after. */
  readonly ledgerAtKill: readonly LedgerEntry[];
  readonly ledgerSince: readonly LedgerEntry[];
}

/**
 * Answers the last line of the demo. An activity counts as completed when its completion was in history at the kill.
 * @throws Error with one sentence that says what went wrong
 */
export function judge(evidence: Evidence): string {
  const { atKill, atEnd, ledgerAtKill, ledgerSince } = evidence;
  for (const [runId, history] of atEnd) {
    const last = history.at(-1)?.type ?? "nothing";
    if (last !== "WORKFLOW_COMPLETED") throw new Error(`Run ${runId} did not complete: its last event is ${last}.`);
  }

  const completed = completedActivities(atKill);
  const again = new Set(ledgerSince.filter(({ what }) => what === "began").map(nameOf));
  const underWay = new Set(ledgerAtKill.filter(({ what }) => what === "began").map(nameOf));
  for (const entry of ledgerAtKill) if (entry.what === "ended") underWay.delete(nameOf(entry));
  const interrupted = [...underWay].filter((name) => again.has(name) && !completed.has(name));
  if (completed.size === 0 || interrupted.length === 0) {
    throw new Error("The kill did not hit: no activity was interrupted by it, or none had completed before.");
  }

  const repeated = [...completed].filter((name) => again.has(name));
  if (repeated.length > 0) throw new Error(`Completed activities were repeated: ${repeated.join(", ")}.`);
  return `demo: ok — ${atEnd.size} runs completed, 1 worker killed, ${repeated.length} completed activities repeated`;
}

/** Each activity of this example is called once in a run: run and name tell it from the others. */
function nameOf({ runId, activity }: Pick<LedgerEntry, "runId" | "activity">): string {
  return `${activity} of ${runId}`;
}

function completedActivities(histories: Histories): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [runId, history] of histories) {
    for (const event of history) {
      if (event.type === "ACTIVITY_COMPLETED") names.add(nameOf({ runId, activity: event.data.activity }));
    }
  }
  return names;
}
