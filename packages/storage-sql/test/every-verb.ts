import type { StorageBackend, TaskCommit } from "@perdure/core/storage";
import { expect } from "vitest";
import { anything, charge, done, hold, newRun } from "./requests.ts";

/** Uses every verb of a store but `stats`, for one thing and for several: so that every statement is sent in every form. */
export async function useEveryVerb(storage: StorageBackend): Promise<void> {
  const ids = ["a", "b", "c", "d"];
  await storage.createRuns(ids.map((runId) => newRun(runId, { attributes: { size: 1 } })));
  const workflows = { kinds: ["workflow"], overdue: true } as const;
  // One statement, in all its forms.
  const { tasks } = await storage.claimTasks(anything(workflows));
  const [a, b, c, d] = tasks.map(({ claim }) => claim);
  await commit(storage, [hold(a!, 1)]);
  await commit(storage, [hold(a!, 2), hold(b!, 1)]);
  await commit(storage, [hold(a!, 3), hold(b!, 2, { next: { do: "park", wakeAt: null } }), done(c!, 1)]);
  await commit(storage, [hold(a!, 4, { next: { do: "park", wakeAt: null } })]);
  await commit(storage, [done(d!, 1)]);
  await storage.createRuns([newRun("e"), newRun("f", { deadlineAt: 1 })]);
  await storage.createRuns([newRun("g", { parent: { runId: "e", incarnation: newRun("e").incarnation, seq: 1 } })]);
  // Several messages and one.
  await storage.deliver(["a", "b"].map((runId) => ({ runId, dedupeId: "m", external: true, data: "1" })));
  await storage.deliver([{ runId: "e", dedupeId: "m", external: true, data: "1" }]);
  await useGeneralForms(storage);
  await storage.readEvents([{ runId: "a", after: 0 }]);
  await storage.readEvents(["a", "b"].map((runId) => ({ runId, after: 0 })));
  await storage.getRun("a");
  await storage.writeCache([{ key: "k", value: "1", expiresAt: 1, mode: "first" }]);
  await storage.writeCache(["k", "l"].map((key) => ({ key, value: "1", expiresAt: null, mode: "replace" })));
  await storage.readCache(["k"]);
  await storage.readCache(["k", "l"]);
  await listPages(storage);
  await storage.purgeRuns({ closedBefore: Date.now() + 1000, minAgeMs: 0, limit: 1 });
  await storage.createRuns([newRun("i"), newRun("j")]);
  const ended = (await storage.claimTasks(anything(workflows))).tasks.filter(({ claim }) => /[ij]/u.test(claim.runId));
  await commit(
    storage,
    ended.map(({ claim }) => done(claim, 1)),
  );
  await storage.purgeRuns({ closedBefore: Date.now() + 1000, minAgeMs: 0, limit: 10, status: ["completed"] });
}

/** Claims and commits that take more than one statement. */
async function useGeneralForms(storage: StorageBackend): Promise<void> {
  const { tasks } = await storage.claimTasks(anything());
  const claims = tasks.map(({ claim }) => claim);
  const [a, b, e, g] = ["a", "b", "e", "g"].map((runId) => claims.find((claim) => claim.runId === runId));
  const [first, second, third] = [6, 7, 8].map((seq) => charge(a!, seq));
  await commit(storage, [
    hold(a!, 5, {
      ackInbox: 1,
      schedule: [first!, second!, third!],
      run: { state: "{}", attributes: { size: 2 }, baseSeq: 1 },
    }),
    hold(b!, 3, { ackInbox: 1, schedule: [charge(b!, 4)], next: { do: "park", wakeAt: null } }),
    hold(e!, 1, { ackInbox: 1, next: { do: "block", reason: '"why"', until: null } }),
  ]);
  await commit(storage, [hold(g!, 1, { close: { status: "failed" }, next: { do: "park", wakeAt: null } })]);
  const activities = (await storage.claimTasks(anything({ kinds: ["activity"], overdue: false }))).tasks;
  const [one, two, three] = activities.map(({ claim }) => claim);
  const message = { runId: one!.runId, dedupeId: "done", external: false, data: "1" };
  const complete = { kind: "activity", claim: one!, commitId: "1", next: { do: "complete", message } } as const;
  await commit(storage, [complete]);
  await storage.commitTasks([complete]);
  await commit(storage, [
    { kind: "activity", claim: two!, commitId: "2", next: { do: "retry", at: 0, attempt: 2 } },
    { kind: "activity", claim: three!, commitId: "3", next: { do: "retry", at: 0, attempt: 2 } },
  ]);
  await commit(storage, [hold(a!, 6, { ackInbox: 1, cancel: [second!.taskId] })]);
  await storage.commitTasks([done({ ...a!, epoch: 9 }, 7), { ...done(a!, 8), ackInbox: 2 }]);
  await storage.writeCache([
    { key: "mine", value: "1", expiresAt: 1, mode: "first", owner: a! },
    { key: "mine", value: "1", expiresAt: null, mode: "replace" },
  ]);
  await storage.renewLeases([a!], 60_000);
  await storage.renewLeases([a!, b!], 60_000);
  await storage.claimTasks(anything({ workerInstance: "worker-2", taskIds: [b!.taskId] }));
  await storage.unblockTasks([e!.taskId]);
  await storage.claimTasks(anything({ workerInstance: "worker-2" }));
  await storage.createRuns([newRun("aside", { queue: "aside", readyAt: Date.now() + 1_000_000 })]);
  // The second one is expected to be in vain, and looks first.
  const vain = anything({ queues: ["aside"], overdue: false, workerInstance: "worker-3" });
  expect((await storage.claimTasks(vain)).tasks).toEqual([]);
  expect((await storage.claimTasks(vain)).tasks).toEqual([]);
  // To runs that are held.
  await storage.deliver(["a", "b"].map((runId) => ({ runId, dedupeId: "late", external: true, data: "1" })));
}

async function listPages(storage: StorageBackend): Promise<void> {
  const { cursor } = await storage.listRuns({ limit: 1 });
  for (const filter of [
    {},
    { cursor: cursor! },
    { status: ["open"] as const },
    { status: ["failed", "cancelled"] as const },
    { workflow: "order" },
    { attributes: { size: 1 } },
    { blocked: true },
    { workflow: "order", attributes: { size: 1 }, blocked: true },
    { parentRunId: "old-5" },
    { createdAfter: 1_000_000_050_000, createdBefore: 1_000_000_060_000 },
  ]) {
    await storage.listRuns({ limit: 10, ...filter });
  }
}

/** What is refused would not be written. */
async function commit(storage: StorageBackend, commits: readonly TaskCommit[]): Promise<void> {
  const results = await storage.commitTasks(commits);
  expect(results.map(({ status }) => status)).toEqual(commits.map(() => "ok"));
}
