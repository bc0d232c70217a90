import {
  type CacheEntry,
  type RenewResult,
  type Run,
  type StorageBackend,
  type StoredEvent,
  workflowTaskId,
} from "@perdure/core/storage";
import { Builder } from "../build/builder.ts";
import { Random } from "../random.ts";
import { history } from "../snapshot.ts";
import { wrapVerbs, type Verb } from "../verbs.ts";
import { Worker } from "../worker.ts";

const CACHE_KEYS = ["kept", "replaced"] as const;
const LEASE_MS = 600_000;

interface View {
  readonly runs: readonly { readonly run: Run | undefined; readonly events: readonly StoredEvent[] }[];
  readonly cache: readonly (CacheEntry | undefined)[];
  readonly leases: readonly RenewResult[];
}

/**
 * Every verb that writes, in a fixed order with arguments that the seed decides: two stores that went through the first n of these
 * writes differ in nothing but times.
 */
export class Script {
  readonly #make: Builder;
  readonly #runs: readonly ReturnType<Builder["run"]>[];

  constructor(seed: number) {
    this.#make = new Builder(new Random(seed, "script"));
    this.#runs = this.#make.runs(3);
  }

  async play(backend: StorageBackend): Promise<void> {
    const make = this.#make;
    const [a, b, c] = this.#runs as [
      ReturnType<Builder["run"]>,
      ReturnType<Builder["run"]>,
      ReturnType<Builder["run"]>,
    ];
    const worker = new Worker(backend, "worker", "instance-of-the-script");
    const take = (run: { runId: string; incarnation: string }) =>
      worker.take({ leaseMs: LEASE_MS, taskIds: [workflowTaskId(run.runId, run.incarnation)] });

    await backend.createRuns([a, b, c]);
    await backend.deliver(make.messages(2, a.runId));
    const held = await take(a);
    const turn = make.turn(held, {
      events: make.events(3),
      ackInbox: 1,
      run: { state: '{"at":1}', attributes: { size: 3 } },
      next: { do: "hold" },
    });
    await worker.commit(turn);
    await worker.renew(held, LEASE_MS);

    const waiting = await take(b);
    await worker.commit(make.turn(waiting, { schedule: [make.activity(b, 2)] }));
    const activity = await worker.takeActivity({ leaseMs: LEASE_MS });
    await worker.commit(make.outcome(activity));

    await backend.writeCache(CACHE_KEYS.map((key) => make.cacheEntry({ key })));
    await backend.writeCache([make.cacheEntry({ key: "replaced", value: '"new"', mode: "replace" })]);

    const bad = await take(c);
    await worker.commit(make.turn(bad, { events: [], next: { do: "block", reason: '{"code":"test"}', until: null } }));
    await backend.unblockTasks([workflowTaskId(c.runId, c.incarnation)]);
    await worker.commit({ ...make.closing(held, { expectedSeq: 4, ackInbox: 2 }) });
    await worker.commit({ ...make.turn(held, { expectedSeq: 5, ackInbox: 2, events: [], next: { do: "done" } }) });
    await backend.deliver([make.message(c.runId)]);
  }

  /** All that the port shows of what was written, without its times. */
  async view(backend: StorageBackend): Promise<View> {
    const runs: View["runs"][number][] = [];
    for (const { runId } of this.#runs)
      runs.push({ run: await backend.getRun(runId), events: await history(backend, runId) });
    const cache = await backend.readCache(CACHE_KEYS);
    const claims = this.#runs.map(({ runId, incarnation }, index) => {
      const epoch = Math.max(1, runs[index]!.run?.task?.epoch ?? 1);
      return { taskId: workflowTaskId(runId, incarnation), runId, incarnation, epoch };
    });
    const leases = await backend.renewLeases(claims, LEASE_MS);
    return withoutTimes({ runs, cache, leases } satisfies View) as View;
  }
}

/** The verbs of a {@link Script}. */
export const WRITES: ReadonlySet<Verb> = new Set<Verb>([
  "createRuns",
  "claimTasks",
  "renewLeases",
  "commitTasks",
  "unblockTasks",
  "deliver",
  "writeCache",
]);

/** A client that calls back when its n-th write was acknowledged, before anybody else learns of it. */
export function afterWrites(backend: StorageBackend, n: number, then: () => void): StorageBackend {
  let writes = 0;
  return wrapVerbs(backend, async (verb, _args, call) => {
    const answer = await call();
    if (WRITES.has(verb) && ++writes === n) then();
    return answer;
  });
}

/** Only in the order of things, and in how many there are, may times differ: a text stands for each. */
function withoutTimes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutTimes);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      const time = typeof member === "number" && /At$|Until$|^at$|^now$/.test(key);
      return [key, time ? "a time" : withoutTimes(member)];
    }),
  );
}
