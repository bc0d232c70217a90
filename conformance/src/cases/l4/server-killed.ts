import { setTimeout as sleep } from "node:timers/promises";
import type { ConformanceCase } from "../../case.ts";
import { findAgain } from "../../crash/find-again.ts";
import { getOn } from "../../crash/progress.ts";
import { Supervisor } from "../../crash/supervisor.ts";
import { Traffic } from "../../crash/traffic.ts";
import { reachVerdict } from "../../crash/verdict.ts";
import { Random } from "../../random.ts";

/** A server that was killed repairs its files before it answers. */
const OUTAGE_MS = 60_000;

export const serverKilled: ConformanceCase = {
  id: "crash.server-killed",
  level: "L4",
  requires: ["crash", "own-server"],
  nemesis: "serverKills",
  invariants: ["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I9", "I12", "I13"],
  why: "A server dies without a word: what it had acknowledged must be there when it is back, and everybody goes on by himself.",
  hint: "Does the server answer before its log is on the disk? Does a refused or broken connection show as `unavailable`, also one that broke while nobody used it?",
  timeoutMs: 120_000,
  async run(t) {
    const [nemesis, client] = ["nemesis", "client"].map((label) => new Random(t.random.int(2 ** 31), label));
    const server = await t.subject.startServer!();
    t.onEnd(() => server.stop());
    const storage = await t.open({ server });
    t.onEnd(() => storage.close());
    const lab = new Supervisor(t);
    const traffic = new Traffic(storage, client!, OUTAGE_MS);
    t.onEnd(() => traffic.client.close());
    const workers = [lab.start({ server }), lab.start({ server })];

    const driving = traffic.run();
    try {
      for (const { by } of workers) await getOn(lab, traffic, 1, "when the server is there", by);
      let checked = 0;
      for (let kill = 0; kill < t.strikes.serverKills; kill++) {
        await getOn(lab, traffic, 5 + nemesis!.int(20), "when the server is there");
        await sleep(nemesis!.int(8));
        await server.kill();
        t.count("serverKills");
        const written = lab.ledger().length;
        await sleep(nemesis!.int(300));
        const restarting = performance.now();
        await server.restart();
        t.count("ms that a server took to be back", Math.round(performance.now() - restarting));
        t.count(
          "acknowledged commits that were found again",
          await findAgain(storage, lab.ledger().slice(checked, written), OUTAGE_MS),
        );
        checked = written;
      }
      await getOn(lab, traffic, 1, "when the server is back");
    } finally {
      traffic.stop();
      await driving;
    }
    // Whoever cannot reach the server cannot renew what he has.
    await reachVerdict(t, lab, traffic, "all");
  },
};
