import { createClient } from "@perdure/core";
import type { ConformanceCase } from "../../case.ts";
import { type Began, type LedgerEntry, MemoryLedger } from "../../crash/ledger.ts";
import { outliveLeases } from "../../crash/outlive-lease.ts";
import { Supervisor } from "../../crash/supervisor.ts";
import { labWorkflows } from "../../crash/workflows.ts";
import { TcpProxy } from "../../proxy/proxy.ts";

const PATIENCE_MS = 10_000;
const { pipeline } = labWorkflows({ ledger: new MemoryLedger(), by: "client" });

export const blackhole: ConformanceCase = {
  id: "crash.blackhole",
  level: "L4",
  requires: ["crash", "network"],
  nemesis: "blackholes",
  invariants: ["I6", "I8", "I12", "I13"],
  guards: ["cut-off-worker-refused"],
  why: "A network can swallow everything for longer than a lease, without a connection breaking: others take over, and then all arrives that was on its way.",
  hint: "Is the epoch compared in the same statement that writes? Does the server hold locks for a client of which nothing is heard?",
  timeoutMs: 120_000,
  async run(t) {
    const lab = new Supervisor(t);
    const client = createClient({ storage: t.backend });
    t.onEnd(() => client.close());
    const proxies = new Map<string, TcpProxy>();
    for (const _ of ["one", "the other"]) {
      const proxy = await TcpProxy.start(t.subject.server!);
      t.onEnd(() => proxy.close());
      proxies.set(lab.start({ server: proxy }).by, proxy);
    }
    await outliveLeases(t, lab, client, {
      times: t.strikes.blackholes,
      word: "cut off",
      workflow: pipeline,
      // An activity ends well before the lease does.
      plan: { steps: 4, ms: 120 },
      async begin(runId, from) {
        const begins = (entry: LedgerEntry): entry is Began => entry.what === "began" && entry.run === runId;
        for (let next = from; ;) {
          const began = await lab.entry(next, PATIENCE_MS, begins);
          if (began === undefined) return undefined;
          const proxy = proxies.get(began.by)!;
          proxy.blackhole(true);
          const ledger = lab.ledger();
          // What was sent before may have arrived.
          const isLate = ledger.some((entry) => entry.what === "ended" && entry.execution === began.execution);
          if (!isLate) return began.by;
          proxy.blackhole(false);
          next = ledger.length;
        }
      },
      end(by) {
        proxies.get(by)!.blackhole(false);
      },
      refused: ["commitTasks", "renewLeases"],
      onRefused() {
        t.count("blackholes");
        t.guard("cut-off-worker-refused");
      },
    });
  },
};
