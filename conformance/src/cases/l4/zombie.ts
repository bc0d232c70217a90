import { setTimeout as sleep } from "node:timers/promises";
import { check, equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { checkHistory } from "../../crash/check-history.ts";
import { checkLedger, slowWorkers } from "../../crash/check-ledger.ts";
import type { Acked, Claimed, Frozen, LedgerEntry, Refused } from "../../crash/ledger.ts";
import { recordedRuns } from "../../crash/recorded-run.ts";
import { LEASE_MS, Supervisor } from "../../crash/supervisor.ts";
import { MemoryLedger } from "../../crash/ledger.ts";
import { type Plan, expectedSum, labWorkflows } from "../../crash/workflows.ts";
import { createClient } from "@perdure/core";

const PATIENCE_MS = 10_000;
/** What a worker that goes on has in its hands is sent at once. */
const REFUSED_MS = 5_000;
const { freezing } = labWorkflows({ ledger: new MemoryLedger(), by: "client" });

/** When the stopped worker goes on: the run is in another's hands, has been written to by it, or has ended. */
type Moment = "taken over" | "written to" | "ended";
const MOMENTS: readonly Moment[] = ["taken over", "written to", "ended"];

export const zombie: ConformanceCase = {
  id: "crash.zombie",
  level: "L4",
  requires: "crash",
  invariants: ["I6", "I8", "I12", "I13"],
  guards: ["stopped-worker-refused"],
  why: "A process can be stopped for longer than its lease (a suspended laptop, a paused container, a long collection of garbage) and goes on believing that the run is its own.",
  hint: "Is the epoch compared in the same statement that writes?",
  timeoutMs: 600_000,
  async run(t) {
    const lab = new Supervisor(t);
    const client = createClient({ storage: t.backend });
    t.onEnd(() => client.close());
    lab.start();
    lab.start();
    const runIds: string[] = [];
    let slowest = 0;
    for (let index = 0; index < (t.full ? 100 : MOMENTS.length); index++) {
      const runId = `run-${index + 1}`;
      runIds.push(runId);
      await oneZombie(runId, MOMENTS[index % MOMENTS.length]!);
      t.count("stopped workers");
    }
    t.count("ms from a lease's end to the next owner, at most", slowest);
    const entries = [...lab.ledger()];
    await lab.close();

    const recorded = [];
    for (const runId of runIds) recorded.push(...(await recordedRuns(t.backend, client, runId)));
    for (const record of recorded) checkHistory(record);
    const { executions, afterLoss } = checkLedger(entries, recorded, {
      killed: lab.killed,
      slow: slowWorkers(entries),
    });
    t.count("executions", executions);
    t.count("executions repeated after a lost lease", afterLoss);

    async function oneZombie(runId: string, moment: Moment): Promise<void> {
      const plan: Plan = { value: t.random.int(1_000), steps: 5, ms: 25 };
      const from = lab.ledger().length;
      const handle = await client.start(freezing, plan, { id: runId });
      const result = handle.result({ timeout: PATIENCE_MS });
      // Whatever fails first is told.
      result.catch(() => {});
      const frozen = await lab.entry(
        from,
        PATIENCE_MS,
        (entry): entry is Frozen => entry.what === "frozen" && entry.run === runId,
      );
      check(frozen, `a worker stops in the middle of run "${runId}"`);
      const ofSuccessor = (entry: LedgerEntry): boolean => entry.run === runId && entry.by !== frozen.by;
      const taken = await lab.entry(
        from,
        LEASE_MS + PATIENCE_MS,
        (entry): entry is Claimed => ofSuccessor(entry) && entry.what === "claimed",
      );
      check(taken, `another worker takes run "${runId}" over when the lease of the stopped one has ended (I8)`);
      slowest = Math.max(slowest, taken.now - leaseEnd(lab.ledger().slice(from), frozen));
      const written = (entry: LedgerEntry): entry is Acked => ofSuccessor(entry) && entry.what === "acked";
      if (moment === "written to")
        check(await lab.entry(from, PATIENCE_MS, written), `the new owner of run "${runId}" gets on`);
      if (moment === "ended")
        equal(await result, expectedSum(plan), `run "${runId}" has the right result without the stopped worker (I9)`);

      const { process } = lab.workers.find(({ by }) => by === frozen.by)!;
      process.signal("SIGCONT");
      const stale = (entry: LedgerEntry): entry is Refused =>
        entry.what === "refused" && entry.verb === "commitTasks" && entry.run === runId && entry.by === frozen.by;
      const refused = await lab.entry(from, REFUSED_MS, stale);
      check(refused, `the worker that was stopped is refused what it writes of run "${runId}" when it goes on (I6)`);
      t.guard("stopped-worker-refused");
      equal(await result, expectedSum(plan), `run "${runId}" has the right result (I12)`);
      // Both are there for the next run, and neither has died of it.
      await sleep(50);
      lab.checkWorkers();
    }
  },
};

/** When the lease of the worker that was stopped ends, as far as it knew. */
function leaseEnd(entries: readonly LedgerEntry[], { by, run }: Frozen): number {
  let end = 0;
  for (const entry of entries) {
    const told = entry.what === "claimed" || entry.what === "renewed";
    if (told && entry.by === by && entry.run === run) end = Math.max(end, entry.until);
  }
  return end;
}
