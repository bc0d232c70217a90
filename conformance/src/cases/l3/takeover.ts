import { type StorageBackend } from "@perdure/core/storage";
import { contains, equal, status, unique } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { heldRun } from "../../scenes.ts";
import { drain, together } from "./together.ts";

export const takeoverCases: readonly ConformanceCase[] = [
  {
    id: "claim.idle-worker-beside-a-dead-one",
    level: "L3",
    invariants: ["I8", "I28"],
    why: "A worker died with a run. Another one, with nothing to do, must wake for it at the end of the lease.",
    hint: "nextReadyAt counts leases of others.",
    async run(t) {
      const dead = await heldRun(t, {}, t.time.short);
      const idle = t.worker(await t.open());
      const first = await idle.claim();
      if (first.now < dead.task.leaseUntil)
        equal(first.nextReadyAt, t.time.claimableAt(dead.task.leaseUntil), "it knows when to wake");
      await t.time.until(dead.task.leaseUntil);
      const task = await idle.take();
      contains(task, { deliveries: 2, lastSeq: 1 }, "it takes the run over");
      equal(task.claim.epoch, 2, "under a new epoch");
      equal((await t.backend.getRun(dead.run.runId))?.task?.workerId, idle.id, "which everybody sees");
    },
  },
  {
    id: "claim.dead-worker-with-many",
    level: "L3",
    invariants: ["I8"],
    why: "A machine is gone; everything that it held is taken over, each task once.",
    async run(t) {
      await t.backend.createRuns(t.make.runs(20));
      const { tasks } = await t.worker().claim({ limit: 20, leaseMs: t.time.short });
      equal(tasks.length, 20, "one worker holds everything");
      await t.time.until(tasks[0]!.leaseUntil);
      const taken: string[] = [];
      await together(await t.clients(3), (client) =>
        drain(t, t.worker(client), async ({ claim }) => {
          equal(claim.epoch, 2, "under a new epoch");
          taken.push(claim.runId);
        }),
      );
      unique(taken, "each task goes to one");
      equal(taken.length, 20, "none is left");
    },
  },
  {
    id: "claim.renewal-against-claim-at-the-end",
    level: "L3",
    invariants: ["I6", "I8"],
    why: "At the end of a lease its holder renews while another one claims: one of them has the task, never both.",
    async run(t) {
      const [a, b] = (await t.clients(2)) as [StorageBackend, StorageBackend];
      for (let round = 0; round < (t.full ? 50 : 5); round++) {
        await t.create();
        const [holder, other] = [t.worker(a), t.worker(b)];
        const task = await holder.take({ leaseMs: t.subject.advance === undefined ? 300 : t.time.short });
        await t.time.until(task.leaseUntil);
        const early = round % 2 === 0 ? holder.renew(task) : undefined;
        const [{ tasks }, renewal] = await Promise.all([other.claim(), early ?? holder.renew(task)]);
        const renewed = renewal.status === "held";
        equal([renewed, tasks.length === 1].filter(Boolean).length, 1, "either the renewal or the claim succeeds");
        const owner = renewed ? holder : other;
        const claim = renewed ? task.claim : tasks[0]!.claim;
        status(await owner.commit(t.make.final({ ...task, claim })), "ok", "whoever has it can end it");
      }
    },
  },
  {
    id: "claim.lost-reply-against-claim-at-the-end",
    level: "L3",
    invariants: ["I6", "I8"],
    why: "A worker never heard that it had claimed, and asks again when that lease has ended; another one claims at the same moment. One of them has each task, never both.",
    hint: "Is it looked at again, under the lock, whether a task is still leased to this workerInstance?",
    async run(t) {
      const [a, b] = (await t.clients(2)) as [StorageBackend, StorageBackend];
      const count = 20;
      for (let round = 0; round < (t.full ? 50 : 5); round++) {
        const queue = `round-${round}`;
        await t.backend.createRuns(t.make.runs(count, { queue }));
        const deaf = t.worker(a);
        const request = { queues: [queue], limit: count };
        const lost = await deaf.claim({ ...request, leaseMs: t.subject.advance === undefined ? 300 : t.time.short });
        deaf.forget(...lost.tasks);
        await t.time.until(lost.tasks[0]!.leaseUntil);
        const answers = await Promise.all([
          deaf.claim(request),
          // In small bites: one of them comes at the right moment.
          ...Array.from({ length: count / 4 }, () => t.worker(b).claim({ ...request, limit: 4 })),
        ]);
        const taken = answers.flatMap(({ tasks }) => tasks.map(({ claim }) => claim.runId));
        unique(taken, "no task is handed to two");
      }
    },
  },
  {
    id: "claim.closing-run-of-a-dead-worker",
    level: "L3",
    invariants: ["I9", "I11"],
    why: "A worker dies after the terminal event and before it told the parent: the next one only repeats that.",
    async run(t) {
      const { run, worker, task } = await heldRun(t, {}, t.time.short);
      status(await worker.commit(t.make.closing(task)), "ok", "the run is closed");
      await t.time.until(task.leaseUntil);
      const other = t.worker(await t.open());
      const rest = await other.take();
      contains(rest, { closed: true, lastSeq: 2, messages: [] }, "the closed task is handed out");
      status(await other.commit(t.make.turn(rest, { events: [], next: { do: "done" } })), "ok", "and is done");
      equal((await t.backend.getRun(run.runId))?.task, null, "nothing is left to do");
    },
  },
];
