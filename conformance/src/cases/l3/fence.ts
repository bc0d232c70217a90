import { contains, equal, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { heldActivity, heldRun } from "../../scenes.ts";
import { unchanged } from "../../snapshot.ts";
import { ACTIVITY_VERBS, refusalOf, RUN_VERBS } from "./stale-verbs.ts";

/** Who took the task over from the stale claim. */
const TAKERS = {
  stale: "A worker that was paused past its lease wakes up and writes, while another one has taken over.",
  "own-old": "A worker took its own task anew after a pause; what it started under the old claim writes as well.",
} as const;

const HINT = "Is the epoch compared in the same statement that writes?";

/** Each verb of a run's holder, under an epoch that is not the newest. */
const runCases: readonly ConformanceCase[] = Object.entries(TAKERS).flatMap(([taker, why]) =>
  Object.entries(RUN_VERBS).map(([verb, send]): ConformanceCase => {
    const guard = `${taker}-${verb}-refused`;
    return {
      id: `fence.${taker}-${verb}`,
      level: "L3",
      invariants: ["I6"],
      guards: [guard],
      why,
      hint: HINT,
      async run(t) {
        const old = await heldRun(t, {}, t.time.short);
        await t.time.until(old.task.leaseUntil);
        const owner = taker === "stale" ? t.worker(await t.open()) : old.worker;
        const task = await owner.take();
        equal(task.claim.epoch, 2, "the task was taken over");
        await unchanged(t, [old.run.runId], "a refused verb changes nothing", async () => {
          equal(await send(t, old.worker, old.task), refusalOf(verb), `a ${verb} under the old epoch is refused`);
          t.guard(guard);
        });
        const turn = t.make.turn(task, { next: { do: "hold" } });
        contains(
          await owner.commit(turn),
          { status: "ok", leaseUntil: task.leaseUntil },
          "the owner goes on undisturbed",
        );
      },
    };
  }),
);

/** Each verb of an activity's holder, under an epoch that is not the newest. */
const activityCases: readonly ConformanceCase[] = Object.entries(TAKERS).flatMap(([taker, why]) =>
  Object.entries(ACTIVITY_VERBS).map(([verb, send]): ConformanceCase => {
    const guard = `${taker}-activity-${verb}-refused`;
    return {
      id: `fence.${taker}-activity-${verb}`,
      level: "L3",
      invariants: ["I6", "I12"],
      guards: [guard],
      why,
      hint: HINT,
      async run(t) {
        const old = await heldActivity(t, t.time.short);
        await t.time.until(old.activity.leaseUntil);
        const owner = taker === "stale" ? t.worker(await t.open()) : old.worker;
        const activity = await owner.takeActivity();
        equal(activity.claim.epoch, 2, "the task was taken over");
        await unchanged(t, [old.run.runId], "a refused verb changes nothing", async () => {
          equal(await send(t, old.worker, old.activity), refusalOf(verb), `a ${verb} under the old epoch is refused`);
          t.guard(guard);
        });
        equal((await t.worker().claim()).tasks, [], "the owner's lease is as it was");
        status(await owner.commit(t.make.outcome(activity)), "ok", "the owner completes it");
        const { messages } = await t.worker().take();
        equal(messages.length, 1, "and the run has one outcome");
      },
    };
  }),
);

export const fenceCases: readonly ConformanceCase[] = [...runCases, ...activityCases];
