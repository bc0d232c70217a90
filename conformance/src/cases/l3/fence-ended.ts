import type { ActivityCommit, NextStep } from "@perdure/core/storage";
import { equal, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import type { CaseContext } from "../../context.ts";
import { type HeldActivity, type HeldRun, heldActivity, heldRun, park } from "../../scenes.ts";
import { history, unchanged } from "../../snapshot.ts";
import { ACTIVITY_VERBS, refusalOf, RUN_VERBS } from "./stale-verbs.ts";

/** Sends every late verb of a run's holder, and sees each refused. */
async function everyRunVerbRefused(t: CaseContext, { worker, task }: HeldRun, guard: string): Promise<void> {
  // Late verbs know the head that was committed, so that only the fence can refuse them.
  for (const late of [task, { ...task, lastSeq: task.lastSeq + 1 }]) {
    for (const [verb, send] of Object.entries(RUN_VERBS)) {
      equal(await send(t, worker, late), refusalOf(verb), `a late ${verb} is refused`);
      t.guard(guard);
    }
  }
}

async function everyActivityVerbRefused(
  t: CaseContext,
  { worker, activity }: HeldActivity,
  guard: string,
): Promise<void> {
  for (const [verb, send] of Object.entries(ACTIVITY_VERBS)) {
    equal(await send(t, worker, activity), refusalOf(verb), `a late ${verb} is refused`);
    t.guard(guard);
  }
}

const HINT = "A claim has a live epoch and a holder: parking, blocking, done, retry and release clear the holder.";

const runEnds: Readonly<Record<string, NextStep>> = {
  park: { do: "park", wakeAt: 253_402_300_799_999 },
  "park-until-now": { do: "park", wakeAt: 0 },
  block: { do: "block", reason: '"why"', until: null },
};

const endedRunCases = Object.entries(runEnds).map(([end, next]): ConformanceCase => {
  const guard = `verb-after-own-${end}-refused`;
  return {
    id: `fence.after-own-${end}`,
    level: "L3",
    invariants: ["I6", "I11"],
    guards: [guard],
    why: "A renewal that was delayed until after the holder's own park would hide the parked run for a lease, or for ever.",
    hint: HINT,
    async run(t) {
      const held = await heldRun(t);
      await park(t, held.worker, held.task, { next });
      await unchanged(t, [held.run.runId], "a refused verb changes nothing", () => everyRunVerbRefused(t, held, guard));
    },
  };
});

const activityEnds: Readonly<Record<string, ActivityCommit["next"] | undefined>> = {
  retry: { do: "retry", at: 253_402_300_799_999, attempt: 2 },
  release: { do: "release" },
  complete: undefined,
};

const endedActivityCases = Object.entries(activityEnds).map(([end, next]): ConformanceCase => {
  const guard = `verb-after-own-${end}-refused`;
  return {
    id: `fence.after-own-${end}`,
    level: "L3",
    invariants: ["I6", "I16"],
    guards: [guard],
    why: "A late duplicate under a claim that has ended would count an attempt twice or hide the task.",
    hint: HINT,
    async run(t) {
      const held = await heldActivity(t);
      status(await held.worker.commit(t.make.outcome(held.activity, next)), "ok", "the hand-out ends");
      await unchanged(t, [held.run.runId], "a refused verb changes nothing", () =>
        everyActivityVerbRefused(t, held, guard),
      );
    },
  };
});

/** A run that was done and purged, and an activity and a run claim of its time. */
async function purgedRun(t: CaseContext): Promise<{ readonly held: HeldRun; readonly activity: HeldActivity }> {
  const held = await heldRun(t);
  const { run, worker, task } = held;
  await worker.commit(t.make.turn(task, { schedule: [t.make.activity(run, 2)], next: { do: "hold" } }));
  const other = t.worker();
  const activity = { run, worker: other, activity: await other.takeActivity() };
  status(await worker.commit(t.make.final(task, { expectedSeq: 2 })), "ok", "the run is done");
  const closedBefore = (await t.time.now()) + 1;
  const { purged } = await t.backend.purgeRuns({ closedBefore, minAgeMs: 0, limit: 10 });
  equal(purged, 1, "the run is purged");
  return { held, activity };
}

export const endedCases: readonly ConformanceCase[] = [
  ...endedRunCases,
  ...endedActivityCases,
  {
    id: "fence.after-own-done",
    level: "L3",
    invariants: ["I5", "I6"],
    guards: ["verb-after-own-done-refused"],
    why: "A task that is gone takes no write, whoever sends it.",
    hint: HINT,
    async run(t) {
      const held = await heldRun(t);
      status(await held.worker.commit(t.make.final(held.task)), "ok", "the run is done");
      await unchanged(t, [held.run.runId], "a refused verb changes nothing", () =>
        everyRunVerbRefused(t, held, "verb-after-own-done-refused"),
      );
    },
  },
  {
    id: "fence.zombie-of-a-purged-run",
    level: "L3",
    invariants: ["I6", "I26"],
    guards: ["verb-of-purged-run-refused"],
    why: "A worker that was paused through the end and the purge of its run writes into nothing.",
    async run(t) {
      const { held, activity } = await purgedRun(t);
      await unchanged(t, [held.run.runId], "nothing comes back", async () => {
        await everyRunVerbRefused(t, held, "verb-of-purged-run-refused");
        await everyActivityVerbRefused(t, activity, "verb-of-purged-run-refused");
      });
      equal(await t.backend.getRun(held.run.runId), undefined, "the run stays gone");
      equal((await t.worker().claim()).tasks, [], "and so do its tasks");
    },
  },
  {
    id: "fence.zombie-of-a-recreated-run",
    level: "L3",
    invariants: ["I6", "I22", "I26"],
    guards: ["verb-of-earlier-incarnation-refused"],
    why: "A new run has the id of a purged one, and the same epoch: only the incarnation tells the zombie from the owner.",
    hint: "The incarnation is part of every claim: compare it wherever you compare the epoch.",
    async run(t) {
      const { held, activity } = await purgedRun(t);
      const run = { ...held.run, incarnation: t.make.run().incarnation };
      status((await t.backend.createRuns([run]))[0], "created", "the id is taken by a new run");
      const owner = t.worker();
      const task = await owner.take();
      equal(task.claim.epoch, held.task.claim.epoch, "its first epoch is that of the zombie");
      await owner.commit(t.make.turn(task, { schedule: [t.make.activity(run, 2)], next: { do: "hold" } }));
      equal((await owner.takeActivity()).claim.epoch, activity.activity.claim.epoch, "and so is its activity's");
      await unchanged(t, [run.runId], "the new run is untouched", async () => {
        await everyRunVerbRefused(t, held, "verb-of-earlier-incarnation-refused");
        await everyActivityVerbRefused(t, activity, "verb-of-earlier-incarnation-refused");
        const message = t.make.message(run.runId, { incarnation: held.run.incarnation });
        status((await t.backend.deliver([message]))[0], "unknown", "a message to the old one is refused");
        const request = { runId: run.runId, incarnation: held.run.incarnation, after: 0 };
        equal(await t.backend.readEvents([request]), [{ events: [], lastSeq: 0 }], "its events are not the new run's");
        equal(await t.backend.unblockTasks([held.task.claim.taskId]), [{ status: "unknown" }], "its task is unknown");
        const byId = await t.worker().claim({ taskIds: [held.task.claim.taskId] });
        equal(byId.tasks, [], "and cannot be claimed");
      });
      const turn = t.make.turn(task, { expectedSeq: 2, next: { do: "hold" } });
      status(await owner.commit(turn), "ok", "the owner goes on");
    },
  },
  {
    id: "fence.mixed-identity",
    level: "L3",
    invariants: ["I6", "I22"],
    guards: ["mixed-claim-refused"],
    why: "A claim is good only as a whole: the task of one run with the epoch of another is nobody's.",
    async run(t) {
      const a = await heldRun(t);
      const b = await heldRun(t);
      const mixed = [
        { ...a.task.claim, runId: b.task.claim.runId },
        { ...a.task.claim, taskId: b.task.claim.taskId },
        { ...a.task.claim, incarnation: b.task.claim.incarnation },
        { ...b.task.claim, taskId: a.task.claim.taskId, epoch: 1 },
      ];
      await unchanged(t, [a.run.runId, b.run.runId], "neither run is touched", async () => {
        for (const claim of mixed) {
          status(await a.worker.commit(t.make.turn(a.task, { claim })), "lease-lost", "a mixed claim commits nothing");
          status(await a.worker.renew({ claim }), "lost", "and renews nothing");
          t.guard("mixed-claim-refused");
        }
      });
      const [first, second] = [await heldActivity(t), await heldActivity(t)];
      const { claim: one } = first.activity;
      const { claim: two } = second.activity;
      const others = [
        { ...one, runId: two.runId },
        { ...one, taskId: two.taskId },
        { ...one, incarnation: two.incarnation },
      ];
      await unchanged(t, [first.run.runId, second.run.runId], "nor is an activity", async () => {
        for (const claim of others) {
          status(await first.worker.renew({ claim }), "lost", "a mixed claim renews none");
          const release = { ...t.make.outcome(first.activity, { do: "release" }), claim };
          status(await first.worker.commit(release), "lease-lost", "and ends none");
        }
      });
    },
  },
  {
    id: "fence.of-the-other-kind",
    level: "L3",
    invariants: ["I6"],
    guards: ["claim-of-other-kind-refused"],
    why: "An activity's claim does not write history, and a run's claim does not complete an activity.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      await worker.commit(t.make.turn(task, { schedule: [t.make.activity(run, 2)], next: { do: "hold" } }));
      const activity = await worker.takeActivity();
      await unchanged(t, [run.runId], "neither changes anything", async () => {
        const wrongTurn = t.make.turn(task, { claim: activity.claim, expectedSeq: 2 });
        status(await worker.commit(wrongTurn), "lease-lost", "an activity's claim commits no turn");
        const wrongOutcome = { ...t.make.outcome(activity), claim: task.claim };
        status(await worker.commit(wrongOutcome), "lease-lost", "a run's claim completes no activity");
        t.guard("claim-of-other-kind-refused");
      });
      equal((await history(t.backend, run.runId)).length, 2, "the history is as it was");
    },
  },
];
