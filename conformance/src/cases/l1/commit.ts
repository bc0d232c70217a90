import { activityTaskId } from "@perdure/core/storage";
import { check, contains, equal, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { doneRun, heldActivity, heldRun, park, scheduledActivity } from "../../scenes.ts";
import { history } from "../../snapshot.ts";

export const commitCases: readonly ConformanceCase[] = [
  {
    id: "commit.hold",
    level: "L1",
    invariants: ["I3", "I11"],
    why: "A holder learns with each answer what time it is, until when it holds, and what has arrived.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      await t.backend.deliver(t.make.messages(2, run.runId));
      const commit = t.make.turn(task, { ackInbox: 1, next: { do: "hold" } });
      const answer = status(await worker.commit(commit), "ok", "the commit is applied");
      contains(answer, { held: true, leaseUntil: task.leaseUntil, inboxLast: 2 }, "the claim is held as before");
      equal(
        answer.messages.map(({ no }) => no),
        [2],
        "the messages after the ack",
      );
      const next = t.make.turn(task, { expectedSeq: 2, ackInbox: 2, next: { do: "hold" } });
      contains(await worker.commit(next), { status: "ok", held: true, messages: [], inboxLast: 2 }, "and goes on");
      contains(
        await t.backend.getRun(run.runId),
        { lastSeq: 3, lastCommitId: next.commitId, status: "open" },
        "the run row follows",
      );
    },
  },
  {
    id: "commit.park",
    level: "L1",
    invariants: ["I3", "I10"],
    why: "A parked run waits for its time, and no worker is busy with it.",
    async run(t) {
      const wakeAt = (await t.time.now()) + 900_000;
      const { run, worker, task } = await heldRun(t);
      const commit = t.make.turn(task, { next: { do: "park", wakeAt } });
      contains(
        await worker.commit(commit),
        { status: "ok", held: false, leaseUntil: null, inboxLast: 0, messages: [] },
        "parking ends the claim",
      );
      contains(
        (await t.backend.getRun(run.runId))?.task,
        { readyAt: wakeAt, leaseUntil: null, workerId: null, epoch: 1, deliveries: 0 },
        "the task waits for its time, and nobody holds it",
      );
      contains(await worker.claim(), { tasks: [], nextReadyAt: wakeAt }, "it is not claimable before");
    },
  },
  {
    id: "commit.park-for-a-message",
    level: "L1",
    invariants: ["I11"],
    why: "A run that waits for a signal only is ready by nothing else.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      await park(t, worker, task);
      equal((await t.backend.getRun(run.runId))?.task?.readyAt, null, "it has no time");
      equal((await worker.claim()).tasks, [], "it is not claimable");
      await t.backend.deliver([t.make.message(run.runId)]);
      equal((await worker.take()).messages.length, 1, "a message makes it claimable at once");
    },
  },
  {
    id: "commit.park-with-unread",
    level: "L1",
    invariants: ["I11"],
    guards: ["unread-at-park-seen"],
    why: "A message that arrived during the turn would sleep with the run for ever.",
    hint: "Compare the newest message with the ack in the same write that parks.",
    async run(t) {
      const before = await t.time.now();
      for (const wakeAt of [null, before + 900_000]) {
        const { run, worker, task } = await heldRun(t);
        await t.backend.deliver([t.make.message(run.runId)]);
        await park(t, worker, task, { ackInbox: 0, next: { do: "park", wakeAt } });
        const readyAt = (await t.backend.getRun(run.runId))?.task?.readyAt ?? 0;
        check(before <= readyAt && readyAt <= (await t.time.now()), "it waits in line from now on, not before others");
        const again = await t.worker().take();
        equal(again.claim.runId, run.runId, "a run that is parked with an unread message is ready at once");
        equal(again.messages.length, 1, "and brings it");
        t.guard("unread-at-park-seen");
      }
    },
  },
  {
    id: "commit.park-when-already-due",
    level: "L1",
    invariants: ["I10"],
    why: "A timer that fell due during the turn fires with the next claim.",
    async run(t) {
      const { worker, task } = await heldRun(t);
      await park(t, worker, task, { next: { do: "park", wakeAt: 0 } });
      equal((await worker.take()).claim.epoch, 2, "it is claimable at once");
    },
  },
  {
    id: "commit.block",
    level: "L1",
    invariants: ["I9", "I11"],
    why: "A poisoned run must stop killing workers: no message and no time wakes it, until somebody lifts the block.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      await t.backend.deliver([t.make.message(run.runId)]);
      const commit = t.make.turn(task, {
        events: [],
        ackInbox: 0,
        next: { do: "block", reason: '"poisoned"', until: null },
      });
      contains(await worker.commit(commit), { status: "ok", held: false, messages: [] }, "blocking ends the claim");
      contains(
        (await t.backend.getRun(run.runId))?.task,
        { blocked: '"poisoned"', leaseUntil: null, workerId: null, unread: 1, deliveries: 1 },
        "messages stay, and so does the delivery count",
      );
      equal((await worker.claim()).tasks, [], "unread messages do not wake it");
      await t.backend.deliver([t.make.message(run.runId)]);
      equal((await worker.claim()).tasks, [], "nor does a new one");
      equal(await t.backend.unblockTasks([task.claim.taskId]), [{ status: "unblocked" }], "lifting it is an answer");
      const again = await worker.take();
      contains(again, { blocked: null, deliveries: 1 }, "it is ready then, and starts to count anew");
      equal(again.messages.length, 2, "with all of its messages");
    },
  },
  {
    id: "commit.close",
    level: "L1",
    invariants: ["I3", "I5"],
    why: "The terminal event, the status and the outcome are one write: a status that disagrees with history lies to everybody.",
    async run(t) {
      const ends = [
        { status: "completed", output: '"result"' },
        { status: "failed", failure: '"reason"' },
        { status: "cancelled", failure: '"on request"' },
        { status: "completed" },
      ] as const;
      for (const close of ends) {
        const { run, worker, task } = await heldRun(t);
        const before = await t.time.now();
        status(await worker.commit(t.make.final(task, { close })), "ok", "the run is closed");
        const stored = (await t.backend.getRun(run.runId))!;
        const { output = null, failure = null } = close as { output?: string; failure?: string };
        contains(stored, { status: close.status, output, failure, task: null, lastSeq: 2 }, "the run row says how");
        const { closedAt } = stored;
        check(
          closedAt !== null && closedAt >= before && closedAt <= (await t.time.now()),
          "closedAt is the storage's now",
        );
      }
    },
  },
  {
    id: "commit.close-then-done",
    level: "L1",
    invariants: ["I5", "I9"],
    why: "A child first closes, then tells its parent, then is done; in between its claim is as good as ever.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const closing = t.make.closing(task);
      contains(await worker.commit(closing), { status: "ok", held: true }, "the run is closed and held");
      const between = (await t.backend.getRun(run.runId))!;
      equal(between.status, "completed", "its status is set");
      check(between.task !== null, "its task is still there");
      status(await worker.renew(task), "held", "its lease can be renewed");
      const done = t.make.turn(task, { expectedSeq: 2, events: [], next: { do: "done" } });
      contains(await worker.commit(done), { status: "ok", held: false, leaseUntil: null }, "done needs no event");
      contains(
        await t.backend.getRun(run.runId),
        { task: null, lastCommitId: done.commitId, lastSeq: 2 },
        "the task is gone",
      );
    },
  },
  {
    id: "commit.done-removes-activities",
    level: "L1",
    invariants: ["I3", "I13"],
    why: "Activities of a finished run are nobody's work any more.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const schedule = [2, 3, 4].map((seq) => t.make.activity(run, seq));
      await worker.commit(t.make.turn(task, { events: t.make.events(3), schedule, next: { do: "hold" } }));
      const claimed = await t.worker().takeActivity({ limit: 1 });
      await worker.commit(t.make.final(task, { expectedSeq: 4 }));
      equal((await t.worker().claim()).tasks, [], "none of them is handed out");
      status(await worker.renew(claimed), "lost", "and who holds one learns it");
      await t.listed(async () => equal((await t.backend.stats()).queues, [], "no task is left"));
    },
  },
  {
    id: "commit.run-fields",
    level: "L1",
    invariants: ["I3"],
    why: "State and attributes are replaced with the turn that changed them, and stay as they are otherwise.",
    async run(t) {
      const { run, worker, task } = await heldRun(t, { state: '"s0"', attributes: { a: 1, b: 2 } });
      const stored = (): Promise<unknown> => t.backend.getRun(run.runId);
      let expectedSeq = 1;
      const step = async (fields: Parameters<typeof t.make.turn>[1]): Promise<void> => {
        const commit = t.make.turn(task, { expectedSeq, next: { do: "hold" }, ...fields });
        status(await worker.commit(commit), "ok", "the turn is applied");
        expectedSeq += 1;
      };
      await step({ run: { state: '"s1"' } });
      contains(await stored(), { state: '"s1"', attributes: { a: 1, b: 2 }, baseSeq: 0 }, "only the state changes");
      await step({ run: { attributes: { c: true } } });
      contains(await stored(), { state: '"s1"', attributes: { c: true } }, "attributes are replaced, not merged");
      await step({});
      contains(await stored(), { state: '"s1"', attributes: { c: true } }, "nothing changes what a turn does not name");
      await step({ run: { baseSeq: 3, state: "", attributes: {} } });
      contains(await stored(), { state: "", attributes: {}, baseSeq: 3 }, "all three at once");
    },
  },
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
      check(result.nextReadyAt !== null && result.nextReadyAt <= now + 900_000, "the later one is announced");
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
    id: "commit.delivery-count",
    level: "L1",
    invariants: ["I9"],
    why: "A run is poisoned when hand-outs bring no commit; a commit proves that it is not.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const deliveries = async (): Promise<number | undefined> => (await t.backend.getRun(run.runId))?.task?.deliveries;
      equal(await deliveries(), 1, "a hand-out counts");
      await worker.commit(t.make.turn(task, { next: { do: "hold" } }));
      equal(await deliveries(), 0, "a commit resets the count");
      await park(t, worker, task, { expectedSeq: 2, next: { do: "park", wakeAt: 0 } });
      equal((await worker.take()).deliveries, 1, "the next hand-out is the first again");
    },
  },
  {
    id: "commit.events-are-optional-without-hold",
    level: "L1",
    invariants: ["I1", "I3"],
    why: "A turn that only found a message about nothing acknowledges it and parks.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      await t.backend.deliver([t.make.message(run.runId)]);
      await park(t, worker, task, { events: [], ackInbox: 1 });
      contains(await t.backend.getRun(run.runId), { lastSeq: 1 }, "the history is as it was");
      equal((await t.backend.getRun(run.runId))?.task?.unread, 0, "the message is gone");
      equal((await worker.claim()).tasks, [], "and the run is parked");
    },
  },
  {
    id: "commit.batch-of-many-runs",
    level: "L1",
    invariants: ["I3"],
    why: "Group commit: a hundred runs that finish a step together cost one call, and each has its own answer.",
    async run(t) {
      const count = Math.min(100, t.info.limits.batch, t.info.limits.claimTasks);
      const runs = t.make.runs(count);
      await t.backend.createRuns(runs);
      const { tasks } = await t.worker().claim({ limit: count });
      const commits = tasks.map((task, index) => {
        check(task.kind === "workflow", "workflow tasks only");
        const good = t.make.turn(task, { events: t.make.events(1, { data: JSON.stringify(task.claim.runId) }) });
        if (index % 10 === 3) return { ...good, claim: { ...good.claim, epoch: 7 } };
        if (index % 10 === 6) return { ...good, expectedSeq: 5 };
        if (index % 10 === 9) return { ...good, events: [], next: { do: "hold" } as const };
        return good;
      });
      const answers = await t.backend.commitTasks(commits);
      const refusals = new Map([
        [3, "lease-lost"],
        [6, "conflict"],
        [9, "invalid"],
      ]);
      for (const [index, answer] of answers.entries()) {
        const expected = refusals.get(index % 10) ?? "ok";
        equal(answer.status, expected, "answers stand in the order of the commits");
        const { runId } = commits[index]!.claim;
        const data = (await history(t.backend, runId)).slice(1).map((event) => event.data);
        equal(data, expected === "ok" ? [JSON.stringify(runId)] : [], "each is applied or refused by itself");
      }
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
      equal(early.nextReadyAt, at, "which is announced");
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
  {
    id: "commit.last-commit-id",
    level: "L1",
    invariants: ["I7"],
    why: "A worker's cached run is good only if its last commit is the run's last; the id outlives the task.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const first = t.make.turn(task, { next: { do: "park", wakeAt: 0 } });
      await worker.commit(first);
      const again = await worker.take();
      equal(again.lastCommitId, first.commitId, "a claim brings it");
      const last = t.make.final(again);
      await worker.commit(last);
      contains(
        await t.backend.getRun(run.runId),
        { task: null, lastCommitId: last.commitId },
        "the run keeps it when the task is gone",
      );
    },
  },
  {
    id: "commit.finished-run-is-final",
    level: "L1",
    invariants: ["I5", "I6"],
    why: "Nothing follows a terminal event.",
    async run(t) {
      const { run, worker, task } = await doneRun(t);
      const before = await history(t.backend, run.runId);
      for (const commit of [t.make.turn(task, { expectedSeq: 2 }), t.make.final(task, { expectedSeq: 2 })]) {
        status(await worker.commit(commit), "lease-lost", "a task that is gone takes no commit");
      }
      equal(await history(t.backend, run.runId), before, "the history stays as it was");
    },
  },
];
