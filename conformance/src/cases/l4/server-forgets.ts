import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@perdure/core";
import type { StorageBackend } from "@perdure/core/storage";
import { check, equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { checkHistory } from "../../crash/check-history.ts";
import { drawRun } from "../../crash/drawn-run.ts";
import { findAgain } from "../../crash/find-again.ts";
import { seeThrough } from "../../crash/insistent-client.ts";
import type { Acked, LedgerEntry } from "../../crash/ledger.ts";
import type { SoloRun } from "../../crash/order.ts";
import { recordedRuns } from "../../crash/recorded-run.ts";
import { Supervisor } from "../../crash/supervisor.ts";
import { insist } from "../../crash/traffic.ts";
import { Random } from "../../random.ts";
import { history } from "../../snapshot.ts";

const OUTAGE_MS = 60_000;
const PATIENCE_MS = 30_000;
const HEAL_MS = 60_000;
/** So many runs are open at a time. */
const OPEN_RUNS = 8;

export const serverForgets: ConformanceCase = {
  id: "crash.server-forgets",
  level: "L4",
  requires: ["crash", "lossy-server"],
  nemesis: "serverKills",
  invariants: ["I1", "I3", "I4", "I5", "I6", "I9", "I12"],
  why: "A server comes back with less than it had acknowledged: that must be what it had at some moment, of which nothing is torn; all runs go on from there, and nobody goes on from what is lost.",
  hint: "Is one commit one record of the log that survives? Are epochs of before the loss issued again (recovery.epochs-after-loss)?",
  timeoutMs: 180_000,
  async run(t) {
    const random = new Random(t.random.int(2 ** 31), "nemesis");
    const server = await t.subject.startServer!();
    t.onEnd(() => server.stop());
    const storage = await t.open({ server });
    const client = createClient({ storage });
    t.onEnd(() => client.close());
    const lab = new Supervisor(t);
    lab.start({ server });
    lab.start({ server });

    const runs: SoloRun[] = [];
    let starting = true;
    const drive = async (): Promise<void> => {
      while (starting) {
        const run = drawRun(random, runs.length + 1);
        runs.push(run);
        await seeThrough(client, run);
      }
    };
    const driving = Promise.all(Array.from({ length: OPEN_RUNS }, drive));
    driving.catch(() => {});
    const isAcked = (entry: LedgerEntry): entry is Acked => entry.what === "acked";
    let began = 0;
    for (let kill = 0; kill < t.strikes.serverKills; kill++) {
      let passing = 20 + random.int(30);
      const goesOn = (entry: LedgerEntry): entry is Acked => isAcked(entry) && passing-- <= 0;
      check(
        await lab.entry(lab.ledger().length, PATIENCE_MS, goesOn),
        "the workers get on when the server is there (I9)",
      );
      const settled = lab.ledger().length;
      await sleep(t.subject.lossMs! + random.int(100));
      await server.kill();
      t.count("serverKills");
      await sleep(100 + random.int(200));
      const written = lab.ledger().length;
      await server.restart();
      const kept = lab.ledger().slice(began, settled);
      t.count("acknowledged commits that had to be found again", await findAgain(storage, kept, OUTAGE_MS));
      t.count("acknowledged commits that may be lost", lab.ledger().slice(settled, written).filter(isAcked).length);
      for (const { runId } of runs) await checkWhole(storage, runId);
      checkOwners(lab.ledger().slice(began, written));
      began = written;
    }
    starting = false;
    await inTime(driving, () => lab.checkWorkers());
    // Whoever has had his result may have been served by what was lost since.
    await inTime(Promise.all(runs.map((run) => seeThrough(client, run))), () => lab.checkWorkers());
    checkOwners(lab.ledger().slice(began));
    t.count("runs", runs.length);
    for (const { runId } of runs) for (const record of await recordedRuns(storage, client, runId)) checkHistory(record);
    await t.listed(async () => {
      const { queues } = await storage.stats();
      const left = queues.map(({ queue, ready, leased, blocked, waiting }) => [
        queue,
        ready + leased + blocked + waiting,
      ]);
      equal(
        left.filter(([, tasks]) => tasks !== 0),
        [],
        "no task is left of runs that have ended (I3)",
      );
    });
    await lab.close();
  },
};

/** I1, I3: what a run says of its history is there. */
async function checkWhole(storage: StorageBackend, runId: string): Promise<void> {
  const run = await insist(() => storage.getRun(runId), OUTAGE_MS);
  if (run === undefined) return;
  const events = await insist(() => history(storage, runId), OUTAGE_MS);
  const seqs = events.map(({ seq }) => seq);
  equal(
    seqs,
    seqs.map((_, index) => index + 1),
    `the history of run "${runId}" has no gap (I1)`,
  );
  check(
    seqs.length >= run.lastSeq,
    `the history of run "${runId}" is as long as its row says, ${run.lastSeq} events (I3)`,
  );
}

/** I6: between two losses, what was accepted under one epoch of a run is of one worker. */
function checkOwners(entries: readonly LedgerEntry[]): void {
  const owners = new Map<string, string>();
  for (const entry of entries) {
    if (entry.what !== "acked") continue;
    const key = `${entry.epoch} of run "${entry.run}"`;
    const owner = owners.get(key) ?? entry.by;
    owners.set(key, owner);
    equal(entry.by, owner, `nobody else writes under epoch ${key} (I6)`);
  }
}

/** Requires that something comes to its end. `alive` throws when waiting is in vain. */
async function inTime(work: Promise<unknown>, alive: () => void): Promise<void> {
  const deadline = performance.now() + HEAL_MS;
  let done = false;
  const ended = work.then(() => void (done = true));
  while (!done) {
    alive();
    check(performance.now() < deadline, `every run ends within ${HEAL_MS} ms when the server stays (I9)`);
    await Promise.race([ended, sleep(100)]);
  }
}
