import type { NextStep, StorageBackend, TaskCommit, WorkflowCommit } from "@perdure/core/storage";
import { contains, equal, status, throws } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { type FaultyBackend, withFaults } from "../../faults.ts";
import { heldActivity, heldRun } from "../../scenes.ts";
import { history, unchanged } from "../../snapshot.ts";

/** A client whose first answer to commitTasks is lost after the commit was applied. */
function losesReply(backend: StorageBackend): FaultyBackend {
  return withFaults(backend, [{ verb: "commitTasks", nth: 1, fault: "fail-after" }]);
}

/** Sends a commit whose answer is lost. */
async function lose(backend: StorageBackend, commit: TaskCommit): Promise<void> {
  const flaky = losesReply(backend);
  await throws("unavailable", "the injected fault is seen", () => flaky.commitTasks([commit]));
  equal(flaky.happened.length, 1, "the fault has happened");
}

const steps: Readonly<Record<string, Partial<WorkflowCommit> & { readonly next: NextStep }>> = {
  hold: { next: { do: "hold" } },
  park: { next: { do: "park", wakeAt: 253_402_300_799_999 } },
  "park-until-now": { next: { do: "park", wakeAt: 0 } },
  block: { next: { do: "block", reason: '"why"', until: null } },
  close: { next: { do: "hold" }, close: { status: "completed", output: '"x"' } },
  done: { next: { do: "done" }, close: { status: "completed", output: '"x"' } },
};

const lostReplies = Object.entries(steps).map(([step, fields]): ConformanceCase => {
  return {
    id: `commit.lost-reply-${step}`,
    level: "L3",
    invariants: ["I3", "I7"],
    guards: ["retried-commit-recognised"],
    why: "The connection broke after the commit: the worker repeats it, and must learn that it was applied, once.",
    hint: "Keep the last commit id with the task (and with the run, when the task is gone) and compare it first.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      await t.backend.deliver(t.make.messages(2, run.runId));
      const schedule = [t.make.activity(run, 2, { queue: "other" })];
      const close = fields.close && { ...fields.close, discardUnread: true };
      const commit = t.make.turn(task, { ackInbox: 1, schedule, ...fields, ...(close && { close }) });
      await lose(worker.backend, commit);
      await unchanged(t, [run.runId], "the repeated commit changes nothing", async () => {
        const held = fields.next.do === "hold";
        const answer = status(await worker.commit(commit), "duplicate", "it was applied before");
        contains(
          answer,
          { held, leaseUntil: held ? task.leaseUntil : null },
          "held says whether the claim is still good",
        );
        const expected = held && !close ? [2] : [];
        equal(
          answer.messages.map(({ no }) => no),
          expected,
          "while it is held, the messages after the ack are there",
        );
        t.guard("retried-commit-recognised");
      });
      equal((await history(t.backend, run.runId)).length, 2, "its event stands once");
    },
  };
});

export const ambiguousCases: readonly ConformanceCase[] = [
  ...lostReplies,
  {
    id: "commit.lost-request",
    level: "L3",
    invariants: ["I3", "I7"],
    why: "The connection broke before the commit: the same repetition applies it.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const flaky = withFaults(t.backend, [{ verb: "commitTasks", nth: 1, fault: "fail-before" }]);
      const commit = t.make.turn(task);
      await throws("unavailable", "the injected fault is seen", () => flaky.commitTasks([commit]));
      equal((await history(t.backend, run.runId)).length, 1, "nothing was applied");
      contains((await flaky.commitTasks([commit]))[0], { status: "ok" }, "the repetition is the first that arrives");
      equal(flaky.happened.length, 1, "the fault has happened");
      status(await worker.commit(commit), "duplicate", "a third one is a duplicate");
    },
  },
  {
    id: "commit.request-arrives-twice",
    level: "L3",
    invariants: ["I3", "I7"],
    why: "A network may deliver one request twice.",
    async run(t) {
      const { run, task } = await heldRun(t);
      const echo = withFaults(t.backend, [{ verb: "commitTasks", nth: 1, fault: "twice" }]);
      const commit = t.make.turn(task, { events: t.make.events(3) });
      contains(
        (await echo.commitTasks([commit]))[0],
        { status: "duplicate", held: false },
        "the second is a duplicate",
      );
      equal((await history(t.backend, run.runId)).length, 4, "its events stand once");
    },
  },
  {
    id: "commit.retried-after-another-claim",
    level: "L3",
    invariants: ["I6", "I7"],
    guards: ["retry-after-claim-is-duplicate"],
    why: "The commit was applied, then another worker claimed the run. To answer lease-lost would say that it was not applied.",
    hint: "Compare the commit id before the epoch: a duplicate proves application, not ownership.",
    async run(t) {
      const old = await heldRun(t, {}, t.time.short);
      const commit = t.make.turn(old.task, { next: { do: "hold" } });
      await lose(old.worker.backend, commit);
      await t.time.until(old.task.leaseUntil);
      const owner = t.worker(await t.open());
      equal((await owner.take()).lastCommitId, commit.commitId, "the new owner sees the commit");
      await unchanged(t, [old.run.runId], "the repeated commit changes nothing", async () => {
        const answer = await old.worker.commit(commit);
        contains(
          answer,
          { status: "duplicate", held: false, leaseUntil: null, messages: [] },
          "applied, and no longer held",
        );
        t.guard("retry-after-claim-is-duplicate");
      });
    },
  },
  {
    id: "commit.retried-after-anothers-commit",
    level: "L3",
    invariants: ["I6", "I7"],
    guards: ["retry-after-commit-refused"],
    why: "When somebody else has committed since, the late repetition must not write a second time.",
    async run(t) {
      const old = await heldRun(t);
      const commit = t.make.turn(old.task, { next: { do: "park", wakeAt: 0 } });
      await lose(old.worker.backend, commit);
      const owner = t.worker(await t.open());
      const task = await owner.take();
      status(await owner.commit(t.make.turn(task, { next: { do: "hold" } })), "ok", "the new owner commits");
      await unchanged(t, [old.run.runId], "the repeated commit changes nothing", async () => {
        status(await old.worker.commit(commit), "lease-lost", "it is refused");
        t.guard("retry-after-commit-refused");
      });
    },
  },
  {
    id: "commit.retried-after-own-next",
    level: "L3",
    invariants: ["I7"],
    guards: ["late-duplicate-refused"],
    why: "A request that was held up in the network arrives after its sender has gone on: it must not be applied again.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const first = t.make.turn(task, { next: { do: "hold" } });
      await worker.commit(first);
      await worker.commit(t.make.turn(task, { expectedSeq: 2, next: { do: "hold" } }));
      await unchanged(t, [run.runId], "the late duplicate changes nothing", async () => {
        equal(await worker.commit(first), { status: "conflict", lastSeq: 3 }, "its head is not the head any more");
        t.guard("late-duplicate-refused");
      });
    },
  },
  {
    id: "commit.retried-after-done",
    level: "L3",
    invariants: ["I7"],
    guards: ["retry-after-done-is-duplicate"],
    why: "The last commit of a run is as ambiguous as any: its worker must learn that the run is done.",
    hint: "When the task is gone, its last commit id lives on the run row.",
    async run(t) {
      const run = await t.create();
      await t.backend.deliver(t.make.messages(2, run.runId));
      const worker = t.worker();
      const task = await worker.take();
      const closing = t.make.closing(task);
      await worker.commit(closing);
      const done = t.make.turn(task, { expectedSeq: 2, events: [], next: { do: "done" } });
      await lose(worker.backend, done);
      await unchanged(t, [run.runId], "the repeated commit changes nothing", async () => {
        const gone = { held: false, leaseUntil: null, inboxLast: 0, messages: [] };
        contains(await worker.commit(done), { status: "duplicate", ...gone }, "it was applied");
        t.guard("retry-after-done-is-duplicate");
        status(await worker.commit(closing), "lease-lost", "the commit before it is not the last one");
      });
    },
  },
  {
    id: "commit.retried-after-purge",
    level: "L3",
    invariants: ["I6", "I7", "I26"],
    guards: ["retry-after-purge-refused"],
    why: "After the purge nobody knows; a retry must neither fail hard nor write.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const commit = t.make.final(task);
      await worker.commit(commit);
      await t.backend.purgeRuns({ closedBefore: (await t.time.now()) + 1, minAgeMs: 0, limit: 1 });
      status(await worker.commit(commit), "lease-lost", "the run is gone");
      await t.backend.createRuns([{ ...run, incarnation: t.make.run().incarnation }]);
      await unchanged(t, [run.runId], "a new run with its id is untouched", async () => {
        status(await worker.commit(commit), "lease-lost", "it is another run");
        t.guard("retry-after-purge-refused");
      });
    },
  },
  {
    id: "commit.other-commit-at-the-same-head",
    level: "L3",
    invariants: ["I7"],
    guards: ["other-commit-at-same-head-refused"],
    why: "Two different commits at one head are not one commit: to call the second a duplicate would lose it silently.",
    hint: "A commit is recognised by its id, never by the head or the epoch.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      await worker.commit(t.make.turn(task, { events: [], next: { do: "park", wakeAt: 0 } }));
      const again = await worker.take();
      const commit = t.make.turn(again, { next: { do: "hold" } });
      status(await worker.commit(commit), "ok", "after an eventless park, a commit at the same head is a new one");
      equal((await history(t.backend, run.runId)).length, 2, "and is applied");
      const other = t.make.turn(again, { events: t.make.events(2), next: { do: "hold" } });
      status(await worker.commit(other), "conflict", "a different one at that head is refused");
      t.guard("other-commit-at-same-head-refused");
    },
  },
  {
    id: "commit.lost-reply-activity-complete",
    level: "L3",
    invariants: ["I7", "I12"],
    why: "An outcome whose acknowledgement was lost is sent again, and must count once.",
    hint: "When the activity task is gone, its last commit id is remembered until the run is done.",
    async run(t) {
      const { run, worker, activity } = await heldActivity(t);
      const commit = t.make.outcome(activity);
      await lose(worker.backend, commit);
      await unchanged(t, [run.runId], "the repeated outcome changes nothing", async () => {
        contains(await worker.commit(commit), { status: "duplicate", held: false, inboxLast: 0 }, "it was applied");
      });
      equal((await t.worker().take()).messages.length, 1, "the run has one outcome");
    },
  },
  {
    id: "commit.lost-reply-activity-retry",
    level: "L3",
    invariants: ["I7", "I16"],
    guards: ["retried-reschedule-recognised"],
    why: "A retry that is counted twice gives up an attempt too early.",
    async run(t) {
      const { worker, activity } = await heldActivity(t);
      const commit = t.make.outcome(activity, { do: "retry", at: 0, attempt: 2 });
      await lose(worker.backend, commit);
      contains(await worker.commit(commit), { status: "duplicate", held: false, leaseUntil: null }, "it was applied");
      t.guard("retried-reschedule-recognised");
      const next = await worker.takeActivity();
      contains(next.task, { attempt: 2 }, "one attempt was counted");
      contains(await worker.commit(commit), { status: "duplicate", held: false }, "also when the next attempt runs");
      status(await worker.commit(t.make.outcome(next, { do: "retry", at: 0, attempt: 3 })), "ok", "which goes on");
      status(await worker.commit(commit), "lease-lost", "a duplicate that comes later still is refused");
      contains((await worker.takeActivity()).task, { attempt: 3 }, "and changes nothing");
    },
  },
  {
    id: "commit.lost-reply-activity-release",
    level: "L3",
    invariants: ["I7", "I13"],
    why: "A worker that shuts down repeats its release and must not take the task from the one that has it now.",
    async run(t) {
      const { worker, activity } = await heldActivity(t);
      const commit = t.make.outcome(activity, { do: "release" });
      await lose(worker.backend, commit);
      const other = t.worker(await t.open());
      const next = await other.takeActivity();
      contains(await worker.commit(commit), { status: "duplicate", held: false }, "it was applied");
      status(await other.renew(next), "held", "the new holder still holds it");
      equal((await t.worker().claim()).tasks, [], "and alone");
    },
  },
];
