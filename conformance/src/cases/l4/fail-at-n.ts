import { createClient, createWorker, type Client } from "@perdure/core";
import type { StorageBackend } from "@perdure/core/storage";
import { check, equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { checkHistory } from "../../crash/check-history.ts";
import { checkLedger, slowWorkers } from "../../crash/check-ledger.ts";
import { MemoryLedger } from "../../crash/ledger.ts";
import { recordedRuns } from "../../crash/recorded-run.ts";
import { LEASE_MS } from "../../crash/supervisor.ts";
import { insist } from "../../crash/traffic.ts";
import { Stalls } from "../../crash/stalls.ts";
import { watch } from "../../crash/watch.ts";
import { type Plan, expectedOutcome, expectedSum, go, labWorkflows } from "../../crash/workflows.ts";
import { ConformanceFailure } from "../../failure.ts";
import { withFaults } from "../../faults.ts";
import type { Verb } from "../../verbs.ts";
import { flowingTime } from "../../flow.ts";

/** So many runs at once; each of them waits most of its time. */
const LANES = 8;
/** One fault can end a worker once. */
const STARTS = 3;

/** One call that goes wrong, and the worker that it happens to. */
interface Trouble {
  readonly verb: Verb;
  readonly fault: "fail-before" | "fail-after";
  readonly cacheRuns: number;
}

const VERBS: readonly Verb[] = [
  "setup",
  "now",
  "createRuns",
  "getRun",
  "readEvents",
  "claimTasks",
  "renewLeases",
  "commitTasks",
  "deliver",
  "readCache",
  "writeCache",
];

const TROUBLES: readonly Trouble[] = VERBS.flatMap((verb) =>
  (["fail-before", "fail-after"] as const).flatMap((fault) =>
    [1_000, 0].map((cacheRuns) => ({ verb, fault, cacheRuns })),
  ),
);

export const failAtN: ConformanceCase = {
  id: "recovery.fail-at-n",
  level: "L4",
  invariants: ["I1", "I4", "I5", "I7", "I9", "I12", "I13"],
  why: "Any call can fail, or be applied and its answer be lost: the run must end as if nothing had happened.",
  hint: "Is a call that is repeated after a lost answer recognised: the commit by its id, the start by its hash, the message by its dedupe id, the claim by its instance?",
  timeoutMs: 300_000,
  async run(t) {
    const flowing = await flowingTime(t);
    const healthy = flowing(t.backend);
    const client = createClient({ storage: healthy });
    t.onEnd(() => client.close());
    const waiting = [...TROUBLES];
    let over = false;
    t.onEnd(async () => {
      over = true;
    });
    const lane = async (storage: StorageBackend): Promise<void> => {
      for (let trouble = waiting.shift(); trouble !== undefined && !over; trouble = waiting.shift()) {
        for (let nth = 1; !over && (await survives(healthy, storage, client, trouble, nth)); nth++)
          t.count(`${trouble.verb} failed`);
      }
    };
    await Promise.all((await t.clients(LANES)).map((storage) => lane(flowing(storage))));
    for (const verb of ["createRuns", "claimTasks", "renewLeases", "commitTasks", "deliver"]) {
      check(
        t.counts.get(`${verb} failed`) ?? 0,
        `${verb} has failed at least once: a fault that never happened proves nothing`,
      );
    }
  },
};

/** Has a run carried out by a worker whose n-th call of a verb fails. Answers whether there was such a call. */
async function survives(
  healthy: StorageBackend,
  storage: StorageBackend,
  client: Client,
  { verb, fault, cacheRuns }: Trouble,
  nth: number,
): Promise<boolean> {
  const name = `${verb}-${nth}-${fault}-${cacheRuns === 0 ? "cold" : "sticky"}`;
  const what = `a run whose worker's call ${nth} of ${verb} ${fault === "fail-before" ? "fails" : "is applied and loses its answer"}`;
  const faulty = withFaults(storage, [{ verb, nth, fault }]);
  const ledger = new MemoryLedger();
  const stalls = new Stalls(ledger, "worker", LEASE_MS);
  const watched = watch(stalls.watch(faulty), ledger, "worker");
  const definitions = labWorkflows({ ledger, by: "worker" });
  const workflows = Object.values(definitions);
  // Leases are renewed at a third of their time: only slow activities see it happen.
  const slow = verb === "renewLeases";
  const plan: Plan = { value: nth, steps: 2, ms: slow ? LEASE_MS / 2 : 3 };
  const unwatch = stalls.start();
  const starter = createClient({ storage: watched });
  const start = async (): Promise<void> => {
    const options = { id: name, queue: name };
    if (slow) return void (await insist(() => starter.start(definitions.pipeline, plan, options)));
    const handle = await insist(() => starter.start(definitions.everything, plan, options));
    for (const payload of ["first", "second"]) await insist(() => handle.signal(go, payload, { id: payload }));
  };
  const worker = work(() =>
    createWorker({ storage: watched, workflows, queues: [name], lease: LEASE_MS, cacheRuns, logger: SILENT }),
  );
  try {
    await start();
    const output = await client
      .handle(name)
      .result({ timeout: "20s" })
      .catch(async (error: unknown) => {
        const run = await healthy.getRun(name);
        throw new ConformanceFailure(`${what} ends (I9)`, {
          expected: "its result",
          actual: { error: String(error), task: run?.task, lastSeq: run?.lastSeq },
        });
      });
    equal(output, slow ? expectedSum(plan) : expectedOutcome(plan), `${what} has the right result (I12)`);
  } finally {
    await worker.stop();
    await starter.close();
    unwatch();
  }
  const recorded = await recordedRuns(healthy, client, name);
  for (const record of recorded) checkHistory(record);
  const happened = faulty.happened.length > 0;
  checkLedger(ledger.entries, recorded, {
    killed: new Set(),
    slow: happened ? new Set(["worker"]) : slowWorkers(ledger.entries),
  });
  return happened;
}

/** Keeps a worker working: one that ends by itself is started again, as a supervisor of processes would. */
function work(create: () => ReturnType<typeof createWorker>): { stop(): Promise<void> } {
  let worker = create();
  let stopped = false;
  const working = async (starts: number): Promise<void> => {
    try {
      await worker.run();
    } catch {
      if (stopped || starts === STARTS) return;
      worker = create();
      await working(starts + 1);
    }
  };
  const ended = working(1);
  return {
    async stop() {
      stopped = true;
      await worker.stop({ grace: 0 });
      await ended;
    },
  };
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
