import { activityTaskId } from "@perdure/core/storage";
import { check, contains, equal, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { heldActivity, heldRun, park, scheduledActivity } from "../../scenes.ts";
import { history } from "../../snapshot.ts";

export const activityCases: readonly ConformanceCase[] = [
  {
    id: "commit.schedule",
    level: "L1",
    invariants: ["I3", "I12"],
    why: "An activity task exists from the very write that recorded its event.",
    async run(t) {
      const now = await t.time.now();
      const { run, worker, task } = await heldRun(t);
      const schedule = [
        t.make.activity(run, 2, { readyAt: now - 10 }),
        t.make.activity(run, 3, { readyAt: now + 900_000 }),
        t.make.activity(run, 4, { queue: "other" }),
        t.make.activity(run, 5, { activity: "unknown" }),
      ];
      await park(t, worker, task, { events: t.make.events(4), schedule });
      const result = await worker.claim();
      equal(
        result.tasks.map(({ claim }) => claim.taskId),
        [schedule[0]!.taskId],
        "each waits for its time, queue and worker",
      );
      check(
        result.nextReadyAt !== null && result.nextReadyAt <= t.time.claimableAt(now + 900_000),
        "the later one is announced",
      );
      const other = await t.worker().takeActivity({ queues: ["other"] });
      equal(other.claim.taskId, activityTaskId(run.runId, run.incarnation, 4), "an activity has a queue of its own");
    },
  },
  {
    id: "commit.cancel",
    level: "L1",
    invariants: ["I3", "I17"],
    why: "A cancelled activity is gone at once, claimed or not; its holder learns it by the next renewal and aborts.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const schedule = [2, 3, 4].map((seq) => t.make.activity(run, seq));
      await worker.commit(t.make.turn(task, { events: t.make.events(3), schedule, next: { do: "hold" } }));
      const other = t.worker();
      const claimed = await other.takeActivity({ limit: 1 });
      const waiting = schedule.filter(({ taskId }) => taskId !== claimed.claim.taskId);
      const cancel = [
        claimed.claim.taskId,
        waiting[0]!.taskId,
        activityTaskId(run.runId, run.incarnation, 99),
        activityTaskId("nobody", run.incarnation, 2),
      ];
      const commit = t.make.turn(task, { expectedSeq: 4, cancel, next: { do: "hold" } });
      status(await worker.commit(commit), "ok", "unknown ids are ignored");
      status(await other.renew(claimed), "lost", "the holder of a cancelled task learns it");
      status(await other.commit(t.make.outcome(claimed)), "lease-lost", "its outcome is refused");
      equal((await t.backend.getRun(run.runId))?.task?.unread, 0, "and not delivered");
      equal((await t.worker().takeActivity()).claim.taskId, waiting[1]!.taskId, "only the third is left");
    },
  },
  {
    id: "commit.cancel-of-others",
    level: "L1",
    invariants: ["I3", "I26"],
    why: "A turn cancels its own activities: a wrong id must not end another run's, nor the run itself.",
    hint: "Is a task that is to be deleted looked up by its run, too?",
    async run(t) {
      const other = await heldActivity(t);
      const { worker, task } = await heldRun(t);
      const cancel = [other.activity.claim.taskId, task.claim.taskId];
      status(await worker.commit(t.make.turn(task, { cancel, next: { do: "hold" } })), "ok", "other ids are ignored");
      status(await other.worker.renew(other.activity), "held", "another run's activity stays with its holder");
      status(await worker.renew(task), "held", "and so does the run");
    },
  },
  {
    id: "commit.schedule-again",
    level: "L1",
    invariants: ["I12", "I13"],
    why: "A turn that is computed anew may ask for what is there already: it must not be executed once more.",
    hint: "Insert if absent; and remember which activity tasks of a run have been completed.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const activity = t.make.activity(run, 2, { input: '"first"' });
      const again = { ...activity, input: '"second"', attempt: 7 };
      await worker.commit(t.make.turn(task, { schedule: [activity], next: { do: "hold" } }));
      await worker.commit(t.make.turn(task, { expectedSeq: 2, schedule: [again], next: { do: "hold" } }));
      const claimed = await t.worker().takeActivity();
      contains(claimed.task, { input: '"first"', attempt: activity.attempt }, "what is there is left as it is");
      await worker.commit(t.make.turn(task, { expectedSeq: 3, schedule: [again], next: { do: "hold" } }));
      status(await worker.commit(t.make.outcome(claimed)), "ok", "also what somebody holds");
      await worker.commit(t.make.turn(task, { expectedSeq: 4, schedule: [again], next: { do: "hold" } }));
      equal((await t.worker().claim()).tasks, [], "and what was completed does not come back");
    },
  },
  {
    id: "commit.schedule-and-cancel-at-once",
    level: "L1",
    invariants: ["I3", "I17"],
    why: "A turn that starts an activity and then sees a cancel does both: the task must not be left behind.",
    hint: "`schedule` is applied before `cancel`.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const schedule = [t.make.activity(run, 2), t.make.activity(run, 3)];
      await park(t, worker, task, { events: t.make.events(2), schedule, cancel: [schedule[0]!.taskId] });
      equal((await worker.takeActivity()).claim.taskId, schedule[1]!.taskId, "the cancelled task never existed");
    },
  },
  {
    id: "commit.hundred-tasks",
    level: "L1",
    invariants: ["I3", "I12"],
    why: "A fan-out schedules its activities in one commit.",
    hint: "Document stores limit the operations of one batch: stage, then flip the head.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const count = Math.min(t.info.limits.tasksPerCommit, 250);
      const schedule = Array.from({ length: count }, (_, index) => t.make.activity(run, index + 2));
      await park(t, worker, task, { events: t.make.events(count), schedule });
      const seen = new Set<string>();
      for (let size = -1; size < seen.size;) {
        size = seen.size;
        for (const { claim } of (await t.worker().claim({ limit: 50 })).tasks) seen.add(claim.taskId);
      }
      equal(seen.size, count, "each of them is handed out once");
      equal((await history(t.backend, run.runId)).length, count + 1, "with its event");
    },
  },
  {
    id: "commit.activity-complete",
    level: "L1",
    invariants: ["I3", "I11", "I12"],
    why: "The end of the task and the outcome in the run's inbox are one write: else the outcome is lost or comes twice.",
    async run(t) {
      const { run, worker, activity } = await heldActivity(t);
      const commit = t.make.outcome(activity);
      contains(
        await worker.commit(commit),
        { status: "ok", held: false, leaseUntil: null },
        "completing ends the claim",
      );
      const task = await t.worker().take();
      equal(task.claim.runId, run.runId, "the run is woken");
      equal(
        task.messages.map(({ data }) => data),
        ['{"outcome":"charged"}'],
        "and has the outcome",
      );
      equal((await t.worker().claim()).tasks, [], "the activity task is gone");
      status(await worker.renew(activity), "lost", "and its claim with it");
    },
  },
  {
    id: "commit.activity-complete-of-a-closed-run",
    level: "L1",
    invariants: ["I5", "I12"],
    why: "A run that has ended takes no outcome; the task must go away all the same, or it is handed out for ever.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      await worker.commit(t.make.turn(task, { schedule: [t.make.activity(run, 2)], next: { do: "hold" } }));
      const other = t.worker();
      const activity = await other.takeActivity();
      status(await worker.commit(t.make.closing(task, { expectedSeq: 2 })), "ok", "the run is closed, not yet done");
      status(await other.commit(t.make.outcome(activity)), "ok", "the task is completed all the same");
      equal((await t.backend.getRun(run.runId))?.task?.unread, 0, "its outcome is dropped");
      await t.listed(async () => {
        const kinds = (await t.backend.stats()).queues.map(({ kind }) => kind);
        equal(kinds, ["workflow"], "no activity task is left");
      });
    },
  },
  {
    id: "commit.activity-retry",
    level: "L1",
    invariants: ["I10", "I16"],
    why: "A retry waits in storage and costs no turn of the workflow.",
    async run(t) {
      const { run, worker, activity } = await heldActivity(t);
      const at = (await t.time.now()) + t.time.short;
      const retry = t.make.outcome(activity, { do: "retry", at, attempt: 2, details: '{"failure":"timeout"}' });
      contains(await worker.commit(retry), { status: "ok", held: false, leaseUntil: null }, "a retry ends the claim");
      const early = await worker.claim();
      if (early.now < at) equal(early.tasks, [], "it is not ready before its time");
      equal(early.nextReadyAt, t.time.claimableAt(at), "which is announced");
      await t.time.until(at);
      const again = await worker.takeActivity();
      contains(again, { deliveries: 1 }, "it is the first hand-out of the new attempt");
      equal(again.claim.epoch, activity.claim.epoch + 1, "under a new epoch");
      contains(
        again.task,
        { attempt: 2, details: '{"failure":"timeout"}', input: activity.task.input },
        "as attempt two",
      );
      equal((await t.backend.getRun(run.runId))?.lastSeq, 2, "the run has not moved");
    },
  },
  {
    id: "commit.activity-retry-keeps-details",
    level: "L1",
    invariants: ["I16"],
    why: "Details that a retry does not replace are those of the attempt before.",
    async run(t) {
      await scheduledActivity(t, { details: '"first"' });
      const worker = t.worker();
      const activity = await worker.takeActivity();
      await worker.commit(t.make.outcome(activity, { do: "retry", at: 0, attempt: 2 }));
      contains((await worker.takeActivity()).task, { details: '"first"', attempt: 2 }, "the details stay");
    },
  },
  {
    id: "commit.activity-release",
    level: "L1",
    invariants: ["I13"],
    why: "A worker that shuts down gives its activities back: at once, and without blame.",
    async run(t) {
      const { worker, activity } = await heldActivity(t);
      const release = t.make.outcome(activity, { do: "release" });
      contains(
        await worker.commit(release),
        { status: "ok", held: false, leaseUntil: null },
        "a release ends the claim",
      );
      const again = await t.worker().takeActivity();
      contains(again, { deliveries: 1, scheduledAt: activity.scheduledAt }, "the next hand-out is the first again");
      contains(again.task, { attempt: 1 }, "of the same attempt");
      equal(again.claim.epoch, 2, "under a new epoch");
    },
  },
];
