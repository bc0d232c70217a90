import { setTimeout as sleep } from "node:timers/promises";
import type { ClaimedTask, StorageBackend } from "@perdure/core/storage";
import { check, equal, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import type { CaseContext } from "../../context.ts";
import { insist } from "../../crash/traffic.ts";
import { history } from "../../snapshot.ts";

const ROUNDS = 3;
const RUNS = 6;
/** The shortest that there is, with a margin. */
const LEASE_MS = 400;
const OUTAGE_MS = 60_000;

export const epochsAfterLoss: ConformanceCase = {
  id: "recovery.epochs-after-loss",
  level: "L4",
  requires: "lossy-server",
  invariants: ["I1", "I3", "I6"],
  guards: ["holder-from-before-the-loss-refused"],
  why: "A server that lost its last moment has forgotten claims. If it issues their epochs again, the one who holds such a claim and the one who gets it next both pass the fence, and write one history together.",
  hint: "Issue higher epochs after each start than any before it: let the task's next epoch be at least a floor that every start of the server raises by more than a life can issue.",
  timeoutMs: 120_000,
  async run(t) {
    const server = await t.subject.startServer!();
    t.onEnd(() => server.stop());
    const storage = await t.open({ server });
    for (let round = 0; round < ROUNDS; round++) {
      const runs = t.make.runs(RUNS);
      await insist(() => storage.createRuns(runs), OUTAGE_MS);
      await sleep(t.subject.lossMs! * 1.5);
      const before = t.worker(storage);
      const { tasks } = await before.claim({ limit: RUNS, leaseMs: LEASE_MS });
      const held = tasks.filter((task) => task.kind === "workflow");
      equal(held.length, RUNS, "all runs are handed out");
      for (const task of held)
        status(await before.commit(t.make.turn(task, { next: { do: "hold" } })), "ok", "their holder writes");
      await server.kill();
      await server.restart();

      const after = t.worker(storage);
      const taken = await claimAll(t, storage, after);
      for (const task of taken) {
        if (task.kind !== "workflow") continue;
        if (task.lastSeq === 1) t.count("claims that were lost");
        status(await after.commit(t.make.turn(task, { next: { do: "hold" } })), "ok", "the next holder writes");
        const old = held.find(({ claim }) => claim.runId === task.claim.runId)!;
        check(task.claim.epoch > old.claim.epoch, `epoch ${old.claim.epoch} of a run is issued once (I6)`);
        const stale = t.make.turn(old, { expectedSeq: task.lastSeq + 1, next: { do: "hold" } });
        status(await before.commit(stale), "lease-lost", "who held it before the loss is refused, at whatever head");
        status(await before.renew(old), "lost", "and does not renew");
        t.guard("holder-from-before-the-loss-refused");
        const seqs = (await history(storage, task.claim.runId)).map(({ seq }) => seq);
        equal(
          seqs,
          Array.from({ length: task.lastSeq + 1 }, (_, index) => index + 1),
          "the history is of one holder",
        );
        status(await after.commit(t.make.final(task, { expectedSeq: task.lastSeq + 1 })), "ok", "who ends it");
      }
    }
  },
};

/** Claims what others held when the server was killed, as their leases end. */
async function claimAll(
  t: CaseContext,
  storage: StorageBackend,
  worker: ReturnType<CaseContext["worker"]>,
): Promise<readonly ClaimedTask[]> {
  const taken: ClaimedTask[] = [];
  const giveUpAt = performance.now() + OUTAGE_MS;
  while (taken.length < RUNS) {
    check(performance.now() < giveUpAt, `all ${RUNS} runs are handed out again; ${taken.length} were (I8)`);
    const { tasks } = await insist(() => worker.claim({ limit: RUNS, leaseMs: 60_000 }), OUTAGE_MS);
    taken.push(...tasks);
    if (tasks.length === 0) await t.time.wait(20);
  }
  await insist(() => storage.now(), OUTAGE_MS);
  return taken;
}
