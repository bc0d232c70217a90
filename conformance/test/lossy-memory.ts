import type { Claim, ClaimResult, StorageBackend, StorageInfo, TaskCommit } from "@perdure/core/storage";
import type { BackendUnderTest, OwnServer } from "../src/index.ts";
import { wrapVerbs } from "../src/verbs.ts";
import { killableServer, listen, remote, withInfo } from "./behind-a-port.ts";
import { RecordedStore, type Write } from "./recorded-store.ts";
import { caseOf } from "../backends/case-of.ts";

/** How often a server makes durable what it has answered. */
const SYNC_MS = 150;
/** More than any life of a server issues. */
const EPOCHS_OF_A_LIFE = 2 ** 20;
/** An epoch that nobody gets. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** What a test spoils. */
export const mutation: {
  /** A server that has lost something issues the same epochs again. */
  epochsTwice: boolean;
  /** A server that was killed has lost so much more, in milliseconds. */
  losesMoreMs: number;
  /** Of the last durable commit, the last event is missing. */
  halves: boolean;
} = { epochsTwice: false, losesMoreMs: 0, halves: false };

/** One start of a server. */
class Life {
  readonly store = new RecordedStore({ now: () => Date.now() });
  readonly #number: number;
  /** Events that are missing, by run. */
  readonly #torn: ReadonlyMap<string, number>;
  #durable = 0;
  #syncs: NodeJS.Timeout;

  constructor(number: number, durable: readonly Write[]) {
    this.#number = mutation.epochsTwice ? 0 : number;
    this.#torn = mutation.halves ? tornBy(durable) : new Map();
    this.store.repeat(durable);
    this.#durable = durable.length;
    this.#syncs = setInterval(() => void (this.#durable = this.store.writes.length), SYNC_MS).unref();
  }

  /** What the next life begins with. */
  end(): readonly Write[] {
    clearInterval(this.#syncs);
    const old = performance.now() - mutation.losesMoreMs;
    return this.store.writes.slice(0, this.#durable).filter(({ since }) => mutation.losesMoreMs === 0 || since < old);
  }

  /** Claims of an earlier life are worth nothing: part of it may be lost, and what was is claimed anew. */
  open(namespace: string): StorageBackend {
    const honest = this.store.open(namespace);
    const base = this.#number * EPOCHS_OF_A_LIFE;
    const own = (claim: Claim): Claim => ({ ...claim, epoch: claim.epoch > base ? claim.epoch - base : NEVER });
    const through = wrapVerbs(honest, async (verb, args, call) => {
      if (verb === "readEvents") return this.#withoutTorn(await call(), args[0]);
      return call();
    });
    if (base === 0) return withInfo(through, declared(honest.info));
    return withInfo(
      {
        ...through,
        renewLeases: (claims, leaseMs) => honest.renewLeases(claims.map(own), leaseMs),
        commitTasks: (commits) =>
          honest.commitTasks(commits.map((one): TaskCommit => ({ ...one, claim: own(one.claim) }))),
        writeCache: (entries) =>
          honest.writeCache(entries.map((one) => (one.owner ? { ...one, owner: own(one.owner) } : one))),
        claimTasks: async (request) => raised(await honest.claimTasks(request), base),
        async getRun(runId) {
          const run = await honest.getRun(runId);
          return run?.task ? { ...run, task: { ...run.task, epoch: run.task.epoch + base } } : run;
        },
      },
      declared(honest.info),
    );
  }

  #withoutTorn(pages: unknown, requests: unknown): unknown {
    const runIds = (requests as readonly { readonly runId: string }[]).map(({ runId }) => runId);
    return (pages as readonly { readonly events: readonly { readonly seq: number }[] }[]).map((page, index) => {
      const missing = this.#torn.get(runIds[index]!);
      return { ...page, events: page.events.filter(({ seq }) => seq !== missing) };
    });
  }
}

function raised(answer: ClaimResult, base: number): ClaimResult {
  const tasks = answer.tasks.map((task) => ({ ...task, claim: { ...task.claim, epoch: task.claim.epoch + base } }));
  return { ...answer, tasks };
}

function tornBy(durable: readonly Write[]): ReadonlyMap<string, number> {
  const commits = durable.flatMap(({ verb, args }) =>
    verb === "commitTasks" ? (args[0] as readonly TaskCommit[]) : [],
  );
  const last = commits.findLast((commit) => commit.kind === "workflow" && commit.events.length > 0);
  if (last?.kind !== "workflow") return new Map();
  return new Map([[last.claim.runId, last.expectedSeq + last.events.length]]);
}

function declared(info: StorageInfo): StorageInfo {
  const { capabilities } = info;
  return { ...info, capabilities: { ...capabilities, processes: "many", durability: "bounded-loss", wakeups: "none" } };
}

/** A case's own server: when it is killed, what it answered last is lost. */
function startServer(): Promise<OwnServer> {
  let lives = 0;
  let life: Life;
  let durable: readonly Write[] = [];
  return killableServer(
    () => (life = new Life(lives++, durable)),
    () => void (durable = life.end()),
  );
}

const stores = new Map<string, Life>();

function openHere(namespace: string): StorageBackend {
  const key = caseOf(namespace);
  const life = stores.get(key) ?? new Life(0, []);
  stores.set(key, life);
  return life.open(namespace);
}

/** Where child processes find what the process of the test has stored. */
const SERVER = "PERDURE_TEST_LOSSY_SERVER";
const [pid, port] = (process.env[SERVER] ?? "").split(" ").map(Number);
const parent = port !== undefined && pid !== process.pid ? { host: "127.0.0.1", port } : undefined;
if (parent === undefined) process.env[SERVER] = `${process.pid} ${await listen({ open: openHere })}`;

/** Memory behind a server that answers first and stores later. */
const subject: BackendUnderTest = {
  name: "lossy memory",
  module: new URL(import.meta.url),
  lossMs: SYNC_MS,
  open({ namespace, server = parent }) {
    return server === undefined ? openHere(namespace) : remote(server, namespace);
  },
  destroy(namespace) {
    stores.get(caseOf(namespace))?.end();
    stores.delete(caseOf(namespace));
  },
  startServer,
};
export default subject;
