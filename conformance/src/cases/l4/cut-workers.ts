import { setTimeout as sleep } from "node:timers/promises";
import { type Worker, createWorker } from "@perdure/core";
import type { StorageBackend } from "@perdure/core/storage";
import { check } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { checkHistory } from "../../crash/check-history.ts";
import { checkLedger, slowWorkers } from "../../crash/check-ledger.ts";
import { type Ledger, MemoryLedger } from "../../crash/ledger.ts";
import { type RecordedRun, recordedRuns } from "../../crash/recorded-run.ts";
import { Stalls } from "../../crash/stalls.ts";
import { LEASE_MS } from "../../crash/supervisor.ts";
import { Traffic } from "../../crash/traffic.ts";
import { watch } from "../../crash/watch.ts";
import { labWorkflows, REMOTE_QUEUE, remoteActivity } from "../../crash/workflows.ts";
import { flowingTime } from "../../flow.ts";
import { TcpProxy } from "../../proxy/proxy.ts";
import { Random } from "../../random.ts";

/** How long runs may take to end when nothing is cut any more. */
const HEAL_MS = 30_000;
const WORKERS = ["w1", "w2"];

export const cutWorkers: ConformanceCase = {
  id: "recovery.cut-workers",
  level: "L4",
  requires: "network",
  nemesis: "cuts",
  invariants: ["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I9", "I12", "I13"],
  why: "The connections of busy workers break, one or all at once: they must go on by themselves, and every run must end as if nothing had happened.",
  hint: "Does somebody listen for the errors of idle connections? Is a broken connection taken out of the pool, and a new one made?",
  timeoutMs: 300_000,
  async run(t) {
    const { cuts } = t.strikes;
    const flowing = await flowingTime(t);
    const [nemesis, client] = ["nemesis", "client"].map((label) => new Random(t.random.int(2 ** 31), label));
    const proxies: TcpProxy[] = [];
    const behindProxy = async (): Promise<StorageBackend> => {
      const proxy = await TcpProxy.start(t.subject.server!);
      t.onEnd(() => proxy.close());
      proxies.push(proxy);
      return flowing(await t.open({ server: proxy }));
    };

    const ledger = new MemoryLedger();
    const workers: Worker[] = [];
    for (const by of WORKERS) workers.push(...startWorkers(await behindProxy(), ledger, by));
    const working = workers.map((worker) => worker.run());
    let died: { readonly error: unknown } | undefined;
    for (const each of working) each.catch((error: unknown) => (died ??= { error }));
    t.onEnd(async () => {
      await Promise.all(workers.map((worker) => worker.stop({ grace: 0 })));
      await Promise.allSettled(working);
    });
    const alive = (): void =>
      check(died === undefined, `workers live through broken connections: ${String(died?.error)}`);

    let over = false;
    t.onEnd(async () => {
      over = true;
    });
    const traffic = new Traffic(await behindProxy(), client!);
    t.onEnd(() => traffic.client.close());
    const driving = traffic.run();
    try {
      while (!over && happened(proxies) < cuts) {
        traffic.check();
        alive();
        await cutSomewhere(nemesis!, nemesis!.pick(proxies));
      }
    } finally {
      traffic.stop();
      await driving;
    }
    for (const name of ["cut", "cutBeforeRequest", "cutAfterReply"] as const) {
      const count = proxies.reduce((sum, proxy) => sum + proxy.happened[name], 0);
      check(count, `every kind of cut happens, also ${name}: one that never did proves nothing`);
      t.count(name, count);
      t.count("cuts", count);
    }

    const healing = performance.now();
    await traffic.settle(HEAL_MS, alive);
    t.count("ms until every run had ended", Math.round(performance.now() - healing));
    await traffic.checkReads();
    const recorded: RecordedRun[] = [];
    for (const runId of traffic.runIds) recorded.push(...(await recordedRuns(t.backend, traffic.client, runId)));
    for (const record of recorded) checkHistory(record);
    // A cut may cost any worker its lease.
    const slow = new Set([...slowWorkers(ledger.entries), ...WORKERS]);
    const { executions, afterLoss } = checkLedger(ledger.entries, recorded, { killed: new Set(), slow });
    t.count("runs", recorded.length);
    t.count("executions", executions);
    t.count("executions repeated after a lost lease", afterLoss);
  },
};

function startWorkers(storage: StorageBackend, ledger: Ledger, by: string): readonly Worker[] {
  const performer = { ledger, by };
  const stalls = new Stalls(ledger, by, LEASE_MS);
  const options = {
    storage: watch(stalls.watch(storage), ledger, by),
    lease: LEASE_MS,
    logger: SILENT,
    // Claims whose answers were lost must not look like poison.
    maxDeliveries: 1_000_000,
  };
  return [
    createWorker({ ...options, workflows: Object.values(labWorkflows(performer)) }),
    createWorker({ ...options, workflows: [], activities: [remoteActivity(performer)], queues: [REMOTE_QUEUE] }),
  ];
}

function happened(proxies: readonly TcpProxy[]): number {
  return proxies.reduce((sum, { happened: { cut, cutBeforeRequest, cutAfterReply } }) => {
    return sum + cut + cutBeforeRequest + cutAfterReply;
  }, 0);
}

/** Cuts something soon, if there is anything to cut. */
async function cutSomewhere(random: Random, proxy: TcpProxy): Promise<void> {
  const aim = 1 + random.int(4);
  const plans = [
    () => void proxy.cut(),
    () => proxy.cutBeforeRequest(aim),
    () => proxy.cutAfterReply(aim),
    () => proxy.cutAfterReply(aim),
  ];
  const cut = random.pick(plans)();
  await sleep(20 + random.int(100));
  cut?.disarm();
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
