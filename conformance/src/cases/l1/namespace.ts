import type { StorageBackend } from "@perdure/core/storage";
import { check, contains, equal, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { doneRun, heldActivity, heldRun } from "../../scenes.ts";
import { history } from "../../snapshot.ts";

export const namespaceCases: readonly ConformanceCase[] = [
  {
    id: "namespace.same-ids",
    level: "L1",
    invariants: ["I21"],
    why: "Test and production, or two customers, share a database; the same id in both is two runs.",
    hint: "The namespace is part of every key and of every WHERE.",
    async run(t) {
      const other = await t.open({ namespace: "b" });
      const run = t.make.run({ runId: "order-1", input: '"a"' });
      const twin = { ...t.make.run({ runId: "order-1", input: '"b"', startHash: "other" }) };
      status((await t.backend.createRuns([run]))[0], "created", "the id is free in one namespace");
      status((await other.createRuns([twin]))[0], "created", "and in the other");
      equal((await t.backend.getRun("order-1"))?.input, '"a"', "each has its own");
      equal((await other.getRun("order-1"))?.input, '"b"', "each has its own");
      await other.deliver([t.make.message("order-1", { dedupeId: "same" })]);
      const [mine] = await t.backend.deliver([t.make.message("order-1", { dedupeId: "same" })]);
      status(mine, "accepted", "dedupe ids are per namespace");
      const task = await t.worker().take();
      equal(task.messages.length, 1, "and so are inboxes");
      await t.worker().commit(t.make.turn(task, { events: t.make.events(3) }));
      equal((await history(other, "order-1")).length, 1, "and histories");
    },
  },
  {
    id: "namespace.nothing-is-seen",
    level: "L1",
    invariants: ["I21"],
    why: "A worker that claims another namespace's run executes another customer's work.",
    async run(t) {
      const other = await t.open({ namespace: "b" });
      const { run } = await heldActivity(t);
      await t.create();
      const entry = t.make.cacheEntry();
      await t.backend.writeCache([entry]);
      await doneRun(t, { queue: "q" }, { queues: ["q"] });

      equal(await other.getRun(run.runId), undefined, "no run");
      equal(await other.readEvents([{ runId: run.runId, after: 0 }]), [{ events: [], lastSeq: 0 }], "no event");
      const claimed = await t.worker(other).claim({ queues: ["main", "q"], overdue: true });
      contains(claimed, { tasks: [], nextReadyAt: null }, "no task");
      equal(await other.readCache([entry.key]), [undefined], "no cache entry");
      equal((await other.deliver([t.make.message(run.runId)]))[0], { status: "unknown" }, "no inbox");
      await t.listed(async () => {
        equal((await other.listRuns({ limit: 10 })).items, [], "no row");
        const stats = await other.stats();
        contains(stats, { queues: [], runs: { open: 0, completed: 0, failed: 0, cancelled: 0 } }, "no count");
      });
      const closedBefore = (await t.time.now()) + 1;
      equal((await other.purgeRuns({ closedBefore, minAgeMs: 0, limit: 10 })).purged, 0, "nothing to purge");
    },
  },
  {
    id: "namespace.claims-are-of-one",
    level: "L1",
    invariants: ["I6", "I21"],
    guards: ["claim-of-other-namespace-refused"],
    why: "A claim that is presented to another namespace owns nothing there, even if run, incarnation and epoch are equal.",
    async run(t) {
      const other = await t.open({ namespace: "b" });
      const { run, worker, task } = await heldRun(t);
      const held = await worker.commit(
        t.make.turn(task, { schedule: [t.make.activity(run, 2)], next: { do: "hold" } }),
      );
      status(held, "ok", "the run has an activity");
      const activity = await worker.takeActivity();
      const stranger = t.worker(other);
      status(await stranger.renew(task), "lost", "no renewal");
      status(await stranger.commit(t.make.turn(task, { expectedSeq: 2 })), "lease-lost", "no commit");
      status(await stranger.commit(t.make.outcome(activity)), "lease-lost", "no outcome");
      equal(await other.unblockTasks([task.claim.taskId]), [{ status: "unknown" }], "no unblocking");
      const owned = t.make.cacheEntry({ owner: task.claim });
      equal(await other.writeCache([owned]), [{ status: "lease-lost" }], "no checkpoint");
      equal((await stranger.claim({ taskIds: [task.claim.taskId] })).tasks, [], "no claim by id");
      t.guard("claim-of-other-namespace-refused");
      equal((await history(t.backend, run.runId)).length, 2, "the run is untouched");
    },
  },
  {
    id: "namespace.joined-keys-do-not-meet",
    level: "L1",
    invariants: ["I21", "I22"],
    why: "Namespace x with run y:z and namespace x:y with run z have one key, where keys are joined carelessly.",
    async run(t) {
      const spaces: readonly (readonly [StorageBackend, string])[] = [
        [await t.open({ namespace: "x" }), "y"],
        [await t.open({ namespace: "x_y" }), ""],
        [await t.open({ namespace: "x_" }), "_y"],
      ];
      for (const [backend, prefix] of spaces) {
        for (const separator of [":", "_", "/", ".", "-", "|", "{", "\u0001"]) {
          const run = t.make.run({ runId: `${prefix}${separator}z`, input: JSON.stringify(prefix) });
          status((await backend.createRuns([run]))[0], "created", "the id is free");
        }
      }
      for (const [backend, prefix] of spaces) {
        await t.listed(async () => {
          const { items } = await backend.listRuns({ limit: 100 });
          equal(items.length, 8, "each namespace has its own eight runs");
          check(
            items.every(({ runId }) => runId.startsWith(prefix)),
            "and no other's",
          );
        });
      }
    },
  },
  {
    id: "namespace.purge-stays-inside",
    level: "L1",
    invariants: ["I21", "I26"],
    why: "Clearing the test namespace must leave production alone.",
    async run(t) {
      const other = await t.open({ namespace: "b" });
      const { run } = await doneRun(t);
      await other.createRuns([run]);
      const worker = t.worker(other);
      const task = await worker.take();
      const entry = t.make.cacheEntry({ owner: task.claim });
      await other.writeCache([entry]);
      await worker.commit(t.make.final(task));
      const { purged } = await t.backend.purgeRuns({ closedBefore: (await t.time.now()) + 1, minAgeMs: 0, limit: 10 });
      equal(purged, 1, "one run is purged");
      equal((await other.getRun(run.runId))?.status, "completed", "the same id elsewhere is still there");
      equal((await history(other, run.runId)).length, 2, "with its history");
      check((await other.readCache([entry.key]))[0], "and its cache entries");
    },
  },
];
