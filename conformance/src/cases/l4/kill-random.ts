import type { ConformanceCase } from "../../case.ts";
import { check } from "../../assert.ts";
import { killAtRandom } from "../../crash/nemesis.ts";
import { resumePrefixes } from "../../crash/resume.ts";
import { Supervisor } from "../../crash/supervisor.ts";
import { Traffic } from "../../crash/traffic.ts";
import { reachVerdict } from "../../crash/verdict.ts";
import { Random } from "../../random.ts";

export const killRandom: ConformanceCase = {
  id: "crash.kill-random",
  level: "L4",
  requires: "crash",
  nemesis: "kills",
  invariants: ["I1", "I2", "I4", "I5", "I6", "I8", "I9", "I12", "I13", "I14"],
  why: "Processes die at any moment: of a run that was started, nothing that was acknowledged may be lost, nothing be recorded twice, and it must end.",
  hint: "Is each commit one transaction, and is it acknowledged only when it is durable? Is a dead worker's run claimable when its lease ends?",
  timeoutMs: 120_000,
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
      await killAtRandom(t, lab, nemesis!, t.strikes.kills, () => traffic.check());
    } finally {
      traffic.stop();
      await driving;
    }
    check(
      t.counts.get("kills that hit a running activity") ?? 0,
      "at least one kill hits a run in the middle: a nemesis that never fired proves nothing",
    );

    t.count("ms of killing", Math.round(performance.now() - killing));
    await reachVerdict(t, lab, traffic, "the slow");
    for (const runId of sample!.shuffle(traffic.runIds).slice(0, t.full ? 40 : 10)) {
      t.count("prefixes carried on cold", await resumePrefixes(t.backend, runId));
    }
  },
};
