import { setTimeout as sleep } from "node:timers/promises";
import type { Client, Workflow } from "@perdure/core";
import { check, equal } from "../assert.ts";
import type { CaseContext } from "../context.ts";
import { checkHistory } from "./check-history.ts";
import { checkLedger, slowWorkers } from "./check-ledger.ts";
import type { Acked, Claimed, LedgerEntry, Refused } from "./ledger.ts";
import { recordedRuns } from "./recorded-run.ts";
import { LEASE_MS, type Supervisor } from "./supervisor.ts";
import { type Plan, expectedSum } from "./workflows.ts";

const PATIENCE_MS = 15_000;
/** What a worker that goes on has in its hands is sent at once. */
const REFUSED_MS = 5_000;

/** When the worker goes on: the run is in another's hands, has been written to by it, or has ended. */
type Moment = "taken over" | "written to" | "ended";
const MOMENTS: readonly Moment[] = ["taken over", "written to", "ended"];

/** How a worker is brought to a standstill in the middle of a run. */
interface Standstill<State> {
  readonly times: number;
  /** What becomes of the worker, in a word: it was … */
  readonly word: string;
  readonly workflow: Workflow<Plan, number, State>;
  readonly plan: Omit<Plan, "value">;
  /** Answers its name once nothing that it writes arrives any more, and undefined if that never comes. */
  begin(runId: string, from: number): Promise<string | undefined>;
  end(by: string): void;
  /** Where the refusal of what it writes afterwards must show. */
  readonly refused: readonly Refused["verb"][];
  /** Is told of each refusal. */
  onRefused(): void;
}

/** Has workers outlive their leases, again and again: others take over, and what the outlived ones write is refused. */
export async function outliveLeases<State>(
  t: CaseContext,
  lab: Supervisor,
  client: Client,
  standstill: Standstill<State>,
): Promise<void> {
  const runIds: string[] = [];
  let slowest = 0;
  for (let index = 0; index < standstill.times; index++) {
    const runId = `run-${index + 1}`;
    runIds.push(runId);
    await outlive(runId, MOMENTS[index % MOMENTS.length]!);
    standstill.onRefused();
  }
  t.count("ms from a lease's end to the next owner, at most", slowest);
  const entries = [...lab.ledger()];
  await lab.close();

  const recorded = [];
  for (const runId of runIds) recorded.push(...(await recordedRuns(t.backend, client, runId)));
  for (const record of recorded) checkHistory(record);
  const troubles = { killed: lab.killed, slow: slowWorkers(entries) };
  const { executions, afterLoss } = checkLedger(entries, recorded, troubles);
  t.count("executions", executions);
  t.count("executions repeated after a lost lease", afterLoss);

  async function outlive(runId: string, moment: Moment): Promise<void> {
    const { word, workflow } = standstill;
    const plan: Plan = { value: t.random.int(1_000), ...standstill.plan };
    const from = lab.ledger().length;
    const handle = await client.start(workflow, plan, { id: runId });
    const result = handle.result({ timeout: PATIENCE_MS });
    // Whatever fails first is told.
    result.catch(() => {});
    const outlived = await standstill.begin(runId, from);
    check(outlived, `a worker is ${word} in the middle of run "${runId}"`);
    const still = lab.ledger().length;
    const ofSuccessor = (entry: LedgerEntry): boolean => entry.run === runId && entry.by !== outlived;
    const taken = await lab.entry(
      from,
      LEASE_MS + PATIENCE_MS,
      (entry): entry is Claimed => ofSuccessor(entry) && entry.what === "claimed",
    );
    check(taken, `another worker takes run "${runId}" over when the lease of the one that was ${word} has ended (I8)`);
    slowest = Math.max(slowest, taken.now - leaseEnd(lab.ledger().slice(from), outlived, runId));
    const written = (entry: LedgerEntry): entry is Acked => ofSuccessor(entry) && entry.what === "acked";
    if (moment === "written to")
      check(await lab.entry(from, PATIENCE_MS, written), `the new owner of run "${runId}" gets on`);
    if (moment === "ended")
      equal(await result, expectedSum(plan), `run "${runId}" has the right result without the worker ${word} (I9)`);

    standstill.end(outlived);
    const stale = (entry: LedgerEntry): entry is Refused =>
      entry.what === "refused" &&
      standstill.refused.includes(entry.verb) &&
      entry.run === runId &&
      entry.by === outlived;
    check(
      await lab.entry(from, REFUSED_MS, stale),
      `the worker that was ${word} is refused what it writes of run "${runId}" when it goes on (I6)`,
    );
    equal(await result, expectedSum(plan), `run "${runId}" has the right result (I12)`);
    // Both are there for the next run, and neither has died of it.
    await sleep(50);
    const stolen = lab
      .ledger()
      .slice(still)
      .find(
        (entry) => entry.what === "acked" && !ofSuccessor(entry) && entry.run === runId && entry.epoch < taken.epoch,
      );
    check(
      stolen === undefined,
      `nothing of run "${runId}" is taken from the worker that was ${word} after epoch ${taken.epoch} was issued (I6)`,
    );
    lab.checkWorkers();
  }
}

/** When the lease of a worker ends, as far as it knew. */
function leaseEnd(entries: readonly LedgerEntry[], by: string, run: string): number {
  let end = 0;
  for (const entry of entries) {
    const told = entry.what === "claimed" || entry.what === "renewed";
    if (told && entry.by === by && entry.run === run) end = Math.max(end, entry.until);
  }
  return end;
}
