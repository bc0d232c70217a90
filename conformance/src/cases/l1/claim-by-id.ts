import { workflowTaskId } from "@perdure/core/storage";
import { equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { doneRun, heldRun, park } from "../../scenes.ts";

export const claimByIdCases: readonly ConformanceCase[] = [
  {
    id: "claim.by-id",
    level: "L1",
    invariants: ["I8", "I17"],
    why: "To terminate, unblock or repair one run, exactly it is claimed: whatever its queue, its name, its time or its block.",
    async run(t) {
      const now = await t.time.now();
      const sleeping = await t.create({ readyAt: now + 900_000, queue: "other", workflow: "unknown" });
      const blocked = await heldRun(t);
      await park(t, blocked.worker, blocked.task, { next: { do: "block", reason: '"why"', until: null } });
      await t.create({ runId: "bystander" });
      const taskIds = [sleeping, blocked.run].map((run) => workflowTaskId(run.runId, run.incarnation));
      const limited = t.worker();
      const some = (await limited.claim({ taskIds, limit: 1, leaseMs: t.time.short })).tasks;
      equal(some.length, 1, "no more than there is room for");
      await t.time.until(some[0]!.leaseUntil);
      const result = await t.worker().claim({ taskIds });
      const ids = result.tasks.map((task) => task.claim.runId);
      equal(ids.toSorted(), [sleeping.runId, blocked.run.runId].toSorted(), "exactly the named tasks are handed out");
      equal(result.nextReadyAt, null, "nextReadyAt is null");
      const task = result.tasks.find(({ claim }) => claim.runId === blocked.run.runId);
      equal(task?.kind === "workflow" && task.blocked, '"why"', "a blocked one comes with its reason");
    },
  },
  {
    id: "claim.by-id-respects-leases",
    level: "L1",
    invariants: ["I8"],
    guards: ["claim-by-id-of-leased-refused"],
    why: "Even an operator does not rob a live owner.",
    async run(t) {
      const { task } = await heldRun(t);
      const done = await doneRun(t);
      const taskIds = [task.claim.taskId, done.task.claim.taskId, workflowTaskId("nobody", "x".repeat(16))];
      const { tasks, nextReadyAt } = await t.worker().claim({ taskIds });
      equal(tasks, [], "leased, done and unknown tasks are not handed out");
      equal(nextReadyAt, null, "and there is no moment to wait for");
      t.guard("claim-by-id-of-leased-refused");
    },
  },
  {
    id: "claim.by-id-of-a-dead-worker",
    level: "L1",
    invariants: ["I8", "I17"],
    why: "A run whose worker has died can be terminated as soon as its lease has ended.",
    async run(t) {
      const { task } = await heldRun(t, {}, t.time.short);
      await t.time.until(task.leaseUntil);
      const again = await t.worker().take({ taskIds: [task.claim.taskId], queues: [] });
      equal(again.claim.epoch, 2, "an expired lease does not protect the run");
    },
  },
];
