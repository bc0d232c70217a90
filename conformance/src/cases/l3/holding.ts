import { contains, equal, status, throws, unique } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { withFaults } from "../../faults.ts";
import { heldRun, scheduledActivity } from "../../scenes.ts";
import { Worker } from "../../worker.ts";

export const holdingCases: readonly ConformanceCase[] = [
  {
    id: "claim.lost-reply",
    level: "L3",
    invariants: ["I6", "I8", "I11"],
    guards: ["claim-with-lost-reply-refused"],
    why: "The answer to a claim was lost: without help the tasks would sleep for a whole lease.",
    hint: "A task leased to this workerInstance that is not in `holding` is handed out again at once, with a new epoch.",
    async run(t) {
      const run = await t.create();
      const flaky = withFaults(t.backend, [{ verb: "claimTasks", nth: 1, fault: "fail-after" }]);
      const worker = new Worker(flaky, "flaky", t.random.text(20));
      await throws("unavailable", "the injected fault is seen", () => worker.claim());
      equal(flaky.happened.length, 1, "the fault has happened");
      equal((await t.worker().claim()).tasks, [], "another worker does not get it");
      const task = await worker.take();
      contains(task, { deliveries: 1 }, "its own worker gets it, and no delivery is counted for the lost answer");
      equal(task.claim.epoch, 2, "under a new epoch");
      const lost = { ...task.claim, epoch: 1 };
      status(await worker.commit(t.make.turn(task, { claim: lost })), "lease-lost", "the lost epoch is refused");
      t.guard("claim-with-lost-reply-refused");
      equal((await t.backend.getRun(run.runId))?.task?.deliveries, 1, "the count is stored so");
      status(await worker.commit(t.make.turn(task)), "ok", "the new one is good");
    },
  },
  {
    id: "claim.lost-reply-again-and-again",
    level: "L3",
    invariants: ["I9"],
    why: "A flaky network must not make a healthy run look poisoned.",
    async run(t) {
      await t.create();
      const worker = t.worker();
      for (let epoch = 1; epoch <= 6; epoch++) {
        const task = await worker.take();
        contains(task, { deliveries: 1 }, "no lost answer counts as a delivery");
        equal(task.claim.epoch, epoch, "each acquisition has its epoch");
        worker.forget(task);
      }
    },
  },
  {
    id: "claim.lost-reply-of-many",
    level: "L3",
    invariants: ["I8"],
    why: "A lost answer may have held runs and activities; the next claim brings back all of them, and nothing that is known.",
    async run(t) {
      await scheduledActivity(t);
      await t.create();
      const worker = t.worker();
      const lost = await worker.claim();
      equal(lost.tasks.length, 2, "a run and an activity are handed out");
      const known = await heldBy(t, worker);
      await worker.commit(t.make.turn(await heldBy(t, worker)));
      worker.forget(...lost.tasks);
      const one = await worker.claim({ limit: 1 });
      equal(one.tasks.length, 1, "as many as there is room for");
      worker.forget(...one.tasks);
      const again = await worker.claim();
      const ids = (tasks: typeof lost.tasks): string[] => tasks.map(({ claim }) => claim.taskId).toSorted();
      equal(ids(again.tasks), ids(lost.tasks), "what was lost comes again");
      equal((await worker.claim()).tasks, [], "and once only");
      status(await worker.renew(known), "held", "what the worker knew of is held as before");
    },
  },
  {
    id: "claim.lost-reply-through-another-client",
    level: "L3",
    invariants: ["I8"],
    why: "A worker's next claim goes through a client that handed nothing out itself: what it names is held, and all else was lost.",
    hint: "What `holding` names is found in the store, not in a client's memory.",
    async run(t) {
      await t.create({ queue: "elsewhere" });
      await scheduledActivity(t);
      await t.create();
      await t.create();
      const worker = t.worker();
      const { tasks } = await worker.claim();
      equal(tasks.length, 3, "two runs and an activity are handed out");
      for (const lost of tasks) {
        const again = new Worker(await t.open(), worker.id, worker.instance);
        const holding = tasks.flatMap(({ claim }) => (claim.taskId === lost.claim.taskId ? [] : claim.taskId));
        equal(
          (await again.claim({ holding })).tasks.map(({ claim }) => claim.taskId),
          [lost.claim.taskId],
          "the one that is not named comes again, and no other",
        );
      }
    },
  },
  {
    id: "claim.lost-reply-comes-first",
    level: "L3",
    invariants: ["I8", "I27"],
    why: "What was handed out already is held by nobody else: behind a long line it would wait for its whole lease.",
    async run(t) {
      const now = await t.time.now();
      const lost = await t.create({ priority: -9 });
      const worker = t.worker();
      worker.forget(await worker.take());
      await t.create({ priority: 9, readyAt: now - 60_000 });
      equal((await worker.take({ limit: 1 })).claim.runId, lost.runId, "it comes before all others");
    },
  },
  {
    id: "claim.lost-reply-and-expired",
    level: "L3",
    invariants: ["I8"],
    why: "The lost answer's lease has ended as well: two reasons to hand the task out, and still one hand-out.",
    async run(t) {
      await t.backend.createRuns(t.make.runs(3));
      const worker = t.worker();
      const lost = await worker.claim({ leaseMs: t.time.short });
      worker.forget(...lost.tasks);
      await t.time.until(lost.tasks[0]!.leaseUntil);
      const again = await worker.claim();
      unique(
        again.tasks.map(({ claim }) => claim.runId),
        "no task stands twice in one answer",
      );
      equal(again.tasks.length, 3, "each is handed out");
      for (const { claim, deliveries } of again.tasks) {
        equal(claim.epoch, 2, "by one acquisition");
        equal(deliveries, 1, "and no delivery is counted for the lost answer");
      }
      equal((await t.worker().claim()).tasks, [], "and is held then");
    },
  },
  {
    id: "claim.lost-reply-taken-over",
    level: "L3",
    invariants: ["I6", "I8"],
    guards: ["task-of-new-owner-kept"],
    why: "The lost answer's lease has ended, and another worker has the task: it is not the first one's any more.",
    hint: "A task is this instance's only while nobody has claimed it since.",
    async run(t) {
      await t.create();
      const worker = t.worker();
      const lost = await worker.take({ leaseMs: t.time.short });
      worker.forget(lost);
      await t.time.until(lost.leaseUntil);
      const owner = t.worker(await t.open());
      const task = await owner.take();
      equal((await worker.claim()).tasks, [], "the live lease of the new owner is respected");
      t.guard("task-of-new-owner-kept");
      status(await owner.renew(task), "held", "which goes on undisturbed");
      equal((await worker.claim({ taskIds: [task.claim.taskId] })).tasks, [], "also against a claim by id");
    },
  },
  {
    id: "claim.given-back-is-not-lost",
    level: "L3",
    invariants: ["I8", "I10"],
    why: "What a worker has parked, blocked or given back it does not hold, and does not name: that is no lost answer.",
    async run(t) {
      const worker = t.worker();
      const nexts = [
        { do: "park", wakeAt: 253_402_300_799_999 },
        { do: "block", reason: '"why"', until: null },
      ] as const;
      for (const next of nexts) {
        await t.create();
        const task = await worker.take();
        await worker.commit(t.make.turn(task, { next }));
        equal((await worker.claim({ holding: [] })).tasks, [], `a task stays where ${next.do} has put it`);
      }
      const run = await scheduledActivity(t);
      const activity = await worker.takeActivity();
      await worker.commit(t.make.outcome(activity, { do: "retry", at: 253_402_300_799_999, attempt: 2 }));
      equal((await worker.claim({ holding: [] })).tasks, [], "a retry waits for its time");
      await t.backend.deliver([t.make.message(run.runId)]);
      const other = await t.worker().take();
      equal((await worker.claim({ holding: [] })).tasks, [], "and what another worker has claimed since is that one's");
      equal(other.claim.runId, run.runId, "the woken run is another's");
    },
  },
  {
    id: "claim.lost-reply-of-what-is-not-wanted",
    level: "L3",
    invariants: ["I8"],
    why: "What a worker has no code or no slots for it does not get, lost answer or not.",
    async run(t) {
      await t.create();
      const worker = t.worker();
      worker.forget(await worker.take());
      const requests = [
        { handlers: { workflows: ["other"], activities: ["charge"] } },
        { kinds: ["activity"] as const },
        { handlers: { workflows: ["other"], activities: [] }, overdue: true },
      ];
      for (const request of requests) {
        equal((await worker.claim(request)).tasks, [], `not for ${JSON.stringify(request)}`);
      }
      equal((await worker.take()).claim.epoch, 2, "it comes again when it is asked for");
    },
  },
  {
    id: "claim.lost-reply-of-the-overdue",
    level: "L3",
    invariants: ["I8", "I9"],
    why: "A run that was claimed to be timed out is claimed again for that.",
    async run(t) {
      const deadlineAt = await t.time.now();
      await t.create({ workflow: "unknown", queue: "elsewhere", deadlineAt });
      const worker = t.worker();
      const lost = await worker.take({ overdue: true });
      worker.forget(lost);
      equal((await worker.claim()).tasks, [], "not as an ordinary task");
      contains(await worker.take({ overdue: true }), { onlyTimeOut: true, deliveries: 1 }, "but to be timed out");
    },
  },
  {
    id: "claim.holding-is-per-start",
    level: "L3",
    invariants: ["I8"],
    guards: ["lease-of-other-instance-kept"],
    why: "A worker that was restarted under the same name is another one: its predecessor may still be alive.",
    hint: "Compare the workerInstance, not the workerId.",
    async run(t) {
      const { worker, task } = await heldRun(t);
      const restarted = new Worker(t.backend, worker.id, t.random.text(20));
      equal((await restarted.claim()).tasks, [], "the live lease of the earlier start is respected");
      t.guard("lease-of-other-instance-kept");
      status(await worker.renew(task), "held", "the earlier start still holds it");
    },
  },
];

async function heldBy(t: Parameters<ConformanceCase["run"]>[0], worker: Worker): ReturnType<Worker["take"]> {
  await t.create();
  return worker.take();
}
