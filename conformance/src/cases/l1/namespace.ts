import type { StorageBackend } from "@perdure/core/storage";
import { check, contains, equal, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { heldActivity, heldRun, park } from "../../scenes.ts";
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
      const early = await t.open({ namespace: "b" });
      const { run, worker } = await heldActivity(t);
      await t.create();
      const entry = t.make.cacheEntry();
      await t.backend.writeCache([entry]);
      const ended = await heldRun(t, { queue: "q" }, 60_000, { queues: ["q"] });
      await t.backend.deliver([t.make.message(ended.run.runId)]);
      const close = { status: "completed", discardUnread: true } as const;
      status(await ended.worker.commit(t.make.final(ended.task, { close })), "ok", "a run ends, and drops a message");
      const blocked = await heldRun(t, { queue: "q" }, 60_000, { queues: ["q"] });
      await park(t, blocked.worker, blocked.task, { next: { do: "block", reason: '"why"', until: null } });
      await t.create({ deadlineAt: (await t.time.now()) - 1 });
      const late = await t.open({ namespace: "b" });

      for (const other of [early, late]) {
        for (const kinds of [["workflow"], ["workflow", "activity"]] as const) {
          const claimed = await t.worker(other).claim({ kinds, queues: ["main", "q"], overdue: true });
          contains(claimed, { tasks: [], nextReadyAt: null }, "no task");
        }
        const namesake = t.worker(other).request({ workerInstance: worker.instance, overdue: true });
        contains(await other.claimTasks(namesake), { tasks: [], nextReadyAt: null }, "nor one that it holds elsewhere");
      }
      const other = late;
      equal(await other.getRun(run.runId), undefined, "no run");
      equal(await other.readEvents([{ runId: run.runId, after: 0 }]), [{ events: [], lastSeq: 0 }], "no event");
      equal(await other.readCache([entry.key]), [undefined], "no cache entry");
      equal((await other.deliver([t.make.message(run.runId)]))[0], { status: "unknown" }, "no inbox");
      await t.listed(async () => {
        equal((await other.listRuns({ limit: 10 })).items, [], "no row");
        const stats = await other.stats();
        const none = { queues: [], runs: { open: 0, completed: 0, failed: 0, cancelled: 0 }, discardedMessages: 0 };
        contains(stats, none, "no count");
      });
      const closedBefore = (await t.time.now()) + 1;
      equal((await other.purgeRuns({ closedBefore, minAgeMs: 0, limit: 10 })).purged, 0, "nothing to purge");
      await other.createRuns([t.make.run()]);
      const own = await t.worker(early).claim({ workerInstance: worker.instance, overdue: true });
      equal(own.tasks.length, 1, "only its own run is handed out");
      equal(own.nextReadyAt, null, "and beside it nothing is waited for");
      const after = await t.worker(late).claim({ overdue: true });
      const end = t.time.claimableAt(own.tasks[0]!.leaseUntil);
      contains(after, { tasks: [], nextReadyAt: end }, "but the end of its lease");
    },
  },
  {
    id: "namespace.repeats-are-known-in-each",
    level: "L1",
    invariants: ["I7", "I21"],
    why: "Test and production have runs with the same ids, and both repeat commits whose answers were lost.",
    hint: "A commit of a task that is gone is looked up by namespace, too.",
    async run(t) {
      const run = t.make.run();
      const spaces = [t.backend, await t.open({ namespace: "b" })];
      for (const backend of spaces) await backend.createRuns([run]);
      for (const backend of spaces) {
        const worker = t.worker(backend);
        const task = await worker.take();
        const schedule = [t.make.activity(run, 2)];
        await worker.commit(t.make.turn(task, { schedule, next: { do: "hold" } }));
        const outcome = t.make.outcome(await worker.takeActivity());
        await worker.commit(outcome);
        const [stranger] = spaces.filter((other) => other !== backend).map((other) => t.worker(other));
        status(await worker.commit(outcome), "duplicate", "the end of the activity is known");
        status(await stranger!.commit(outcome), "lease-lost", "and elsewhere it is not");
        const end = t.make.final(task, { expectedSeq: 2, ackInbox: 1 });
        await worker.commit(end);
        status(await worker.commit(end), "duplicate", "so is the end of the run");
        status(await stranger!.commit(end), "lease-lost", "and elsewhere it is not");
      }
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
      const { run, ...mine } = await heldRun(t);
      await t.backend.deliver([t.make.message(run.runId)]);
      await other.createRuns([run]);
      const worker = t.worker(other);
      const task = await worker.take();
      const entry = t.make.cacheEntry({ owner: task.claim });
      await other.writeCache([entry]);
      await other.deliver([t.make.message(run.runId)]);
      const close = { status: "completed", discardUnread: true } as const;
      await worker.commit(t.make.final(task, { close }));
      await mine.worker.commit(t.make.final(mine.task, { close }));
      const { purged } = await t.backend.purgeRuns({ closedBefore: (await t.time.now()) + 1, minAgeMs: 0, limit: 10 });
      equal(purged, 1, "one run is purged");
      equal((await other.getRun(run.runId))?.status, "completed", "the same id elsewhere is still there");
      equal((await history(other, run.runId)).length, 2, "with its history");
      check((await other.readCache([entry.key]))[0], "and its cache entries");
      await t.listed(async () => {
        equal((await other.stats()).discardedMessages, 1, "and the count of its messages");
      });
    },
  },
];
