import type { CaseContext } from "../context.ts";
import { checkHistory } from "./check-history.ts";
import { checkLedger, slowWorkers } from "./check-ledger.ts";
import type { LedgerEntry } from "./ledger.ts";
import { type RecordedRun, recordedRuns } from "./recorded-run.ts";
import type { Supervisor } from "./supervisor.ts";
import type { Traffic } from "./traffic.ts";

/** How long runs may take to end when nothing goes wrong any more. */
const HEAL_MS = 30_000;

/** How a lab ended. */
interface Verdict {
  readonly recorded: readonly RecordedRun[];
  readonly ledger: readonly LedgerEntry[];
}

/**
 * Requires that every run of the traffic ends, ends the lab, and confronts what the storage has recorded with what the workers
 * have written down.
 * @param mayLose whether any worker may have lost leases, and not only those that say so themselves
 */
export async function reachVerdict(
  t: CaseContext,
  lab: Supervisor,
  traffic: Traffic,
  mayLose: "all" | "the slow",
): Promise<Verdict> {
  const healing = performance.now();
  await traffic.settle(HEAL_MS, () => lab.checkWorkers());
  t.count("ms until every run had ended", Math.round(performance.now() - healing));
  const verdict = await judge(t, lab, traffic, mayLose);
  t.count("reads on the way", await traffic.checkReads());
  return verdict;
}

/** Ends the lab, and confronts what the storage has recorded of runs that have ended with what the workers have written down. */
export async function judge(
  t: CaseContext,
  lab: Supervisor,
  { storage, client, runIds }: Pick<Traffic, "storage" | "client" | "runIds">,
  mayLose: "all" | "the slow",
): Promise<Verdict> {
  const ledger = [...lab.ledger()];
  await lab.close();

  const slow = mayLose === "all" ? new Set(ledger.map(({ by }) => by)) : slowWorkers(ledger);
  t.count("workers that stalled", slowWorkers(ledger).size);
  const recorded: RecordedRun[] = [];
  for (const runId of runIds) recorded.push(...(await recordedRuns(storage, client, runId)));
  for (const record of recorded) checkHistory(record);
  const { executions, afterKill, afterLoss, resumed } = checkLedger(ledger, recorded, { killed: lab.killed, slow });
  t.count("runs", recorded.length);
  t.count("executions", executions);
  t.count("executions repeated after a kill", afterKill);
  t.count("executions repeated after a lost lease", afterLoss);
  t.count("executions that went on from a checkpoint", resumed);
  return { recorded, ledger };
}
