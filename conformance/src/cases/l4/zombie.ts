import { createClient } from "@perdure/core";
import type { ConformanceCase } from "../../case.ts";
import { type Frozen, MemoryLedger } from "../../crash/ledger.ts";
import { outliveLeases } from "../../crash/outlive-lease.ts";
import { Supervisor } from "../../crash/supervisor.ts";
import { labWorkflows } from "../../crash/workflows.ts";

const PATIENCE_MS = 10_000;
const { freezing } = labWorkflows({ ledger: new MemoryLedger(), by: "client" });

export const zombie: ConformanceCase = {
  id: "crash.zombie",
  level: "L4",
  requires: "crash",
  nemesis: "zombies",
  invariants: ["I6", "I8", "I12", "I13"],
  guards: ["stopped-worker-refused"],
  why: "A process can be stopped for longer than its lease (a suspended laptop, a paused container, a long collection of garbage) and goes on believing that the run is its own.",
  hint: "Is the epoch compared in the same statement that writes?",
  timeoutMs: 120_000,
  async run(t) {
    const lab = new Supervisor(t);
    const client = createClient({ storage: t.backend });
    t.onEnd(() => client.close());
    lab.start();
    lab.start();
    await outliveLeases(t, lab, client, {
      times: t.strikes.zombies,
      word: "stopped",
      workflow: freezing,
      plan: { steps: 5, ms: 25 },
      async begin(runId, from) {
        const isFrozen = (entry: { what: string; run: string | null }): entry is Frozen =>
          entry.what === "frozen" && entry.run === runId;
        return (await lab.entry(from, PATIENCE_MS, isFrozen))?.by;
      },
      end: (by) => lab.workers.find((worker) => worker.by === by)!.process.signal("SIGCONT"),
      // It was stopped before it could send the outcome of an activity.
      refused: ["commitTasks"],
      onRefused() {
        t.count("zombies");
        t.guard("stopped-worker-refused");
      },
    });
  },
};
