import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@perdure/core";
import { check, equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { drawRun } from "../../crash/drawn-run.ts";
import { Hands } from "../../crash/hands.ts";
import type { LedgerEntry } from "../../crash/ledger.ts";
import { Supervisor } from "../../crash/supervisor.ts";
import { judge } from "../../crash/verdict.ts";
import { Random } from "../../random.ts";

/** Each kill costs the start of a process and the rest of a lease, with nobody else at work meanwhile. */
const KILLS_FOR_EACH_OF_THESE = 10;
const RUNS_FOR_EACH_KILL = 4;
const PATIENCE_MS = 30_000;
const HEAL_MS = 60_000;

export const killAlone: ConformanceCase = {
  id: "crash.kill-alone",
  level: "L4",
  requires: "one-process",
  nemesis: "kills",
  invariants: ["I1", "I2", "I4", "I5", "I6", "I8", "I9", "I12", "I13"],
  why: "The only process of a store dies at any moment: the next one finds all that was acknowledged, may open it at once, and goes on.",
  hint: "Is each commit whole when the file is opened again, also after half a write? Does what locks the store die with its process?",
  timeoutMs: 120_000,
  async run(t) {
    await t.backend.close();
    const lab = new Supervisor(t);
    const random = new Random(t.random.int(2 ** 31), "nemesis");
    const kills = Math.ceil(t.strikes.kills / KILLS_FOR_EACH_OF_THESE);
    const runs = Array.from({ length: RUNS_FOR_EACH_KILL * (kills + 1) }, (_, index) => drawRun(random, index + 1));
    const hands = new Hands();
    let alone = lab.start({ runs });
    for (let kill = 0; kill < kills; kill++) {
      let passing = random.int(25);
      const isIt = (entry: LedgerEntry): entry is LedgerEntry => entry.by === alone.by && passing-- <= 0;
      check(await lab.entry(lab.ledger().length, PATIENCE_MS, isIt), "the process gets on when it has the store (I9)");
      await sleep(random.int(8));
      await lab.kill(alone);
      const { held, running } = hands.of(alone.by, lab.ledger());
      t.count("kills");
      if (held.size > 0) t.count("kills that hit a held run");
      if (running.size > 0) t.count("kills that hit a running activity");
      alone = lab.start({ runs });
    }
    const exit = await alone.process.exitWithin(HEAL_MS);
    equal(exit?.code, 0, `every run ends as it should when nobody is killed any more: ${alone.process.stderr} (I9)`);
    const storage = await t.open();
    const client = createClient({ storage });
    t.onEnd(() => client.close());
    await judge(t, lab, { storage, client, runIds: runs.map(({ runId }) => runId) }, "the slow");
  },
};
