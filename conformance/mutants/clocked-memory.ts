import { createMemoryStore, memory, type MemoryStore, type VirtualClock, virtualClock } from "@perdure/core/memory";
import {
  checkClaimRequest,
  checkCommits,
  checkLeaseMs,
  checkNewRuns,
  checkTransaction,
  type NewActivityTask,
  type NextStep,
  type Run,
  type RunSummary,
  type StorageBackend,
  type StorageInfo,
  type TaskCommit,
  type TransactionalVerb,
  type WriteOptions,
} from "@perdure/core/storage";
import type { BackendUnderTest, ClientClock } from "../src/subject.ts";
import { wrapVerbs } from "../src/verbs.ts";
import { caseOf } from "../backends/case-of.ts";

/** How far the clocks of two clients are apart, at most. */
const ERROR_MS = 201;

/** What the backend adds because clocks differ; each is the error, and mutants leave one out. */
export interface Margins {
  /** To the clock that looks for what is ready: so what is ready for one clock is for all. */
  readonly ready: number;
  /** To the end of a lease. */
  readonly lease: number;
  /** To a time that somebody waits for. */
  readonly timer: number;
}

/** One client: who spoils it knows its clock. */
export type SpoilClient = (honest: StorageBackend, now: () => number) => Partial<StorageBackend>;

interface Space {
  readonly store: MemoryStore;
  /** True time. */
  readonly clock: VirtualClock;
  /** What time it is for who calls. */
  now: number;
  /** What was asked for, by what is stored. */
  readonly asked: Map<number, number>;
}

const LATEST = 253_402_300_799_999;
const LONGEST_LEASE_MS = 3_600_000;

/**
 * A memory backend that has no clock: each client goes by its own. Ends of leases and times that somebody waits for are stored later
 * than they were asked for, by the error of clocks and once more by what a claim adds to its clock.
 */
export function clockedMemory(
  name = "memory with clocks of clients",
  margins: Partial<Margins> = {},
  spoil: SpoilClient = () => ({}),
): BackendUnderTest {
  const spaces = new Map<string, Space>();
  const spaceOf = (namespace: string): Space => {
    const key = caseOf(namespace);
    let space = spaces.get(key);
    if (space === undefined) {
      const made = { store: createMemoryStore(), clock: virtualClock(), now: 0, asked: new Map<number, number>() };
      // The store's own clock makes one time of all that it reads.
      Object.assign(made.store.clock, { now: () => made.now });
      spaces.set(key, (space = made));
    }
    return space;
  };
  return {
    name,
    open({ namespace, clock }) {
      const space = spaceOf(namespace);
      const offMs = offsetOf(clock);
      let last = 0;
      const now = (): number => (last = Math.max(last, space.clock.now() + offMs));
      const honest = clientOf(space, namespace, now, {
        ready: ERROR_MS,
        lease: ERROR_MS,
        timer: ERROR_MS,
        ...margins,
      });
      return { ...honest, ...spoil(honest, now) };
    },
    destroy: (namespace) => void spaces.delete(caseOf(namespace)),
    advance: (namespace, ms) => spaceOf(namespace).clock.advance(ms),
  };
}

/** How far a clock is off: to be found within one millisecond. */
function offsetOf(clock: ClientClock): number {
  for (;;) {
    const before = Date.now();
    const offMs = clock.now() - before;
    if (Date.now() === before) return offMs;
  }
}

function clientOf(space: Space, namespace: string, now: () => number, margins: Margins): StorageBackend {
  const { ready, lease, timer } = margins;
  const backend = memory({ namespace, store: space.store });
  const { capabilities, limits } = backend.info;
  const info: StorageInfo = {
    ...backend.info,
    capabilities: { ...capabilities, clock: { kind: "client", errorMs: ERROR_MS }, transactions: [] },
  };
  const honest = wrapVerbs(backend, async (verb, args, call) => {
    checkTransaction(verb as TransactionalVerb, args[1] as WriteOptions | undefined, info);
    space.now = now();
    return call();
  });

  /** What is stored in place of a moment. One that has come is ready, now and for all. */
  const later = <At extends number | null>(at: At): At => {
    if (at === null || !(at > now())) return at;
    const stored = Math.min(at + ready + timer, LATEST);
    space.asked.set(stored, at);
    return stored as At;
  };
  const asked = <At extends number | null>(stored: At): At =>
    (stored === null ? null : (space.asked.get(stored) ?? stored)) as At;
  const leaseEnd = <At extends number | null>(stored: At): At =>
    (stored === null ? null : stored - ready - lease) as At;
  const claimable = (stored: number | null): number | null => {
    if (stored === null) return null;
    const at = space.asked.get(stored);
    return at === undefined ? stored - ready : at + timer;
  };
  const longer = (leaseMs: number, by: number): number => Math.min(leaseMs + by, LONGEST_LEASE_MS);
  const task = (state: RunSummary["task"]): RunSummary["task"] =>
    state && { ...state, readyAt: asked(state.readyAt), leaseUntil: leaseEnd(state.leaseUntil) };
  const run = (stored: Run): Run => ({ ...stored, deadlineAt: asked(stored.deadlineAt), task: task(stored.task) });
  const activity = (one: NewActivityTask): NewActivityTask => ({ ...one, readyAt: later(one.readyAt) });
  const step = (next: NextStep): NextStep => {
    if (next.do === "park") return { ...next, wakeAt: later(next.wakeAt) };
    return next.do === "block" ? { ...next, until: later(next.until) } : next;
  };
  const commit = (one: TaskCommit): TaskCommit => {
    if (one.kind === "workflow")
      return { ...one, next: step(one.next), ...(one.schedule && { schedule: one.schedule.map(activity) }) };
    return one.next.do === "retry" ? { ...one, next: { ...one.next, at: later(one.next.at) } } : one;
  };
  return {
    ...honest,
    info,
    async createRuns(runs, options) {
      checkNewRuns(runs, limits);
      const moved = runs.map((one) => ({ ...one, readyAt: later(one.readyAt), deadlineAt: later(one.deadlineAt) }));
      const answers = await honest.createRuns(moved, options);
      return answers.map((answer) =>
        "run" in answer ? { ...answer, run: { ...answer.run, deadlineAt: asked(answer.run.deadlineAt) } } : answer,
      );
    },
    async claimTasks(request) {
      checkClaimRequest(request, limits);
      space.now = now() + ready;
      const answer = await backend.claimTasks({ ...request, leaseMs: longer(request.leaseMs, lease) });
      return {
        now: answer.now - ready,
        nextReadyAt: claimable(answer.nextReadyAt),
        tasks: answer.tasks.map((one) =>
          one.kind === "activity"
            ? { ...one, leaseUntil: leaseEnd(one.leaseUntil) }
            : {
                ...one,
                leaseUntil: leaseEnd(one.leaseUntil),
                run: { ...one.run, deadlineAt: asked(one.run.deadlineAt) },
              },
        ),
      };
    },
    async renewLeases(claims, leaseMs) {
      checkLeaseMs(leaseMs);
      const answers = await honest.renewLeases(claims, longer(leaseMs, ready + lease));
      return answers.map((one) => (one.status === "held" ? { ...one, leaseUntil: leaseEnd(one.leaseUntil) } : one));
    },
    async commitTasks(commits, options = {}) {
      checkTransaction("commitTasks", options, info);
      checkCommits(commits, limits, options);
      const answers = await honest.commitTasks(commits.map(commit), options);
      return answers.map((one) => ("leaseUntil" in one ? { ...one, leaseUntil: leaseEnd(one.leaseUntil) } : one));
    },
    async getRun(runId) {
      const found = await honest.getRun(runId);
      return found && run(found);
    },
    async listRuns(query) {
      const { items, cursor } = await honest.listRuns(query);
      return { items: items.map((one) => ({ ...one, task: task(one.task) })), cursor };
    },
    async stats() {
      space.now = now() + ready;
      const stats = await backend.stats();
      return { ...stats, now: stats.now - ready };
    },
  };
}
