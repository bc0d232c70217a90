import type { ConformanceCase } from "../../case.ts";
import { check } from "../../assert.ts";
import { checkHistory } from "../../crash/check-history.ts";
import { checkLedger, slowWorkers } from "../../crash/check-ledger.ts";
import { killAtRandom } from "../../crash/nemesis.ts";
import { recordedRuns } from "../../crash/recorded-run.ts";
import { resumePrefixes } from "../../crash/resume.ts";
import { Supervisor } from "../../crash/supervisor.ts";
import { Traffic } from "../../crash/traffic.ts";
import { Random } from "../../random.ts";

/** How long runs may take to end when nobody is killed any more. */
const HEAL_MS = 30_000;

export const killRandom: ConformanceCase = {
  id: "crash.kill-random",
  level: "L4",
  requires: "crash",
  invariants: ["I1", "I2", "I4", "I5", "I6", "I8", "I9", "I12", "I13", "I14"],
  why: "Processes die at any moment: of a run that was started, nothing that was acknowledged may be lost, nothing be recorded twice, and it must end.",
  hint: "Is each commit one transaction, and is it acknowledged only when it is durable? Is a dead worker's run claimable when its lease ends?",
  timeoutMs: 900_000,
  async run(t) {
    const lab = new Supervisor(t);
    const [nemesis, client, sample] = ["nemesis", "client", "sample"].map(
      (label) => new Random(t.random.int(2 ** 31), label),
    );
    const traffic = new Traffic(await t.open(), client!);
    t.onEnd(() => traffic.client.close());
    lab.start();
    lab.start();

    const killing = performance.now();
    const driving = traffic.run();
    try {
      await killAtRandom(t, lab, nemesis!, t.kills, () => traffic.check());
    } finally {
      traffic.stop();
      await driving;
    }
    check(
      t.counts.get("kills that hit a running activity") ?? 0,
      "at least one kill hits a run in the middle: a nemesis that never fired proves nothing",
    );

    const healing = performance.now();
    t.count("ms of killing", Math.round(healing - killing));
    await traffic.settle(HEAL_MS, () => lab.checkWorkers());
    t.count("ms until every run had ended", Math.round(performance.now() - healing));
    const entries = [...lab.ledger()];
    await lab.close();

    const slow = slowWorkers(entries);
    t.count("workers that stalled", slow.size);
    const recorded = [];
    for (const runId of traffic.runIds) recorded.push(...(await recordedRuns(t.backend, traffic.client, runId)));
    for (const record of recorded) checkHistory(record);
    const { executions, afterKill, afterLoss, resumed } = checkLedger(entries, recorded, { killed: lab.killed, slow });
    t.count("runs", recorded.length);
    t.count("executions", executions);
    t.count("executions repeated after a kill", afterKill);
    t.count("executions repeated after a lost lease", afterLoss);
    t.count("executions that went on from a checkpoint", resumed);
    t.count("reads on the way", await traffic.checkReads());
    for (const runId of sample!.shuffle(traffic.runIds).slice(0, t.full ? 40 : 10)) {
      t.count("prefixes carried on cold", await resumePrefixes(t.backend, runId));
    }
  },
};
