import type { ClaimedWorkflowTask } from "@perdure/core/storage";
import { check, equal, throws } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { doneRun, heldRun } from "../../scenes.ts";
import { history } from "../../snapshot.ts";
import { purgeEnded } from "./purge-ended.ts";

/** Which runs go, and how many of them at a time. */
export const purgeSelectionCases: readonly ConformanceCase[] = [
  {
    id: "purge.by-age",
    level: "L1",
    invariants: ["I24", "I26"],
    guards: ["purge-of-young-run-refused"],
    why: "Retention is by age; and whoever still writes late must find what it belongs to.",
    async run(t) {
      const { run } = await doneRun(t);
      const closedAt = (await t.backend.getRun(run.runId))!.closedAt!;
      equal(await purgeEnded(t, { closedBefore: closedAt }), 0, "closedBefore is exclusive");
      equal(await purgeEnded(t, { minAgeMs: 600_000 }), 0, "a run that closed a moment ago is too young");
      const far = { closedBefore: closedAt + 10_000, limit: 10 };
      equal((await t.backend.purgeRuns(far)).purged, 0, "without minAgeMs the age is an hour");
      t.guard("purge-of-young-run-refused");
      await t.time.until(closedAt + 50);
      equal(await purgeEnded(t, { closedBefore: closedAt + 1, minAgeMs: 50 }), 1, "at its age it goes");
    },
  },
  {
    id: "purge.default-age-is-an-hour",
    level: "L1",
    requires: "advance",
    invariants: ["I24", "I26"],
    why: "The default must be short enough to be useful.",
    async run(t) {
      const { run } = await doneRun(t);
      const closedAt = (await t.backend.getRun(run.runId))!.closedAt!;
      const request = { closedBefore: closedAt + 1, limit: 10 };
      await t.time.until(closedAt + 3_590_000);
      equal((await t.backend.purgeRuns(request)).purged, 0, "before the hour is over it is kept");
      await t.time.until(closedAt + 3_600_000);
      equal((await t.backend.purgeRuns(request)).purged, 1, "after an hour it goes");
    },
  },
  {
    id: "purge.filters",
    level: "L1",
    invariants: ["I26"],
    why: "Keeping failures longer than successes is the usual policy.",
    async run(t) {
      const ids: string[] = [];
      for (const end of ["completed", "failed", "cancelled", "completed", "failed"] as const) {
        const { run, worker, task } = await heldRun(t);
        await worker.commit(t.make.final(task, { close: { status: end } }));
        ids.push(run.runId);
      }
      const left = async (): Promise<readonly boolean[]> =>
        Promise.all(ids.map(async (id) => (await t.backend.getRun(id)) !== undefined));
      equal(await purgeEnded(t, { status: [] }), 0, "no status, no run");
      equal(await purgeEnded(t, { status: ["cancelled"] }), 1, "by status");
      equal(await left(), [true, true, false, true, true], "only that one");
      equal(await purgeEnded(t, { runIds: [ids[0]!, ids[1]!, "nobody"], status: ["failed"] }), 1, "by id and status");
      equal(await left(), [true, false, false, true, true], "only that one");
      equal(await purgeEnded(t, { runIds: [] }), 0, "no id, no run");
      equal(await purgeEnded(t, { status: ["completed", "failed"] }), 3, "the rest");
    },
  },
  {
    id: "purge.in-steps",
    level: "L1",
    invariants: ["I26"],
    why: "A million runs are purged in small steps, each of which says whether another one is worth it.",
    async run(t) {
      for (let index = 0; index < 7; index++) await doneRun(t);
      const closedBefore = (await t.time.now()) + 1;
      const steps = [];
      for (let more = true; more;) {
        const result = await t.backend.purgeRuns({ closedBefore, minAgeMs: 0, limit: 3 });
        check(result.purged <= 3, "at most limit runs in one call");
        steps.push(result.purged);
        ({ more } = result);
        check(steps.length < 10, "the steps come to an end");
      }
      equal(
        steps.reduce((sum, purged) => sum + purged, 0),
        7,
        "together they take everything",
      );
      equal(steps[0], 3, "and each takes what it may");
      await throws("invalid-argument", "a limit of zero is refused", () =>
        t.backend.purgeRuns({ closedBefore, limit: 0 }),
      );
    },
  },
  {
    id: "purge.limit-is-capped",
    level: "L1",
    invariants: ["I26"],
    timeoutMs: 120_000,
    why: "One call must not hold locks for as long as a million runs take, whatever it is asked for: `info.limits.purgeRuns` is the most.",
    hint: "The smaller one of `limit` and `info.limits.purgeRuns` counts; `more` says that runs were left.",
    async run(t) {
      const { purgeRuns: most, batch, claimTasks } = t.info.limits;
      const worker = t.worker();
      for (let left = most + 2; left > 0;) {
        const count = Math.min(left, batch, claimTasks);
        await t.backend.createRuns(t.make.runs(count));
        const { tasks } = await worker.claim({ limit: count, leaseMs: 60_000 });
        await t.backend.commitTasks(tasks.map((task) => t.make.final(task as ClaimedWorkflowTask)));
        left -= count;
      }
      const request = { closedBefore: (await t.time.now()) + 1, minAgeMs: 0, limit: most + 10 };
      equal(await t.backend.purgeRuns(request), { purged: most, more: true }, "the declared limit caps the call");
      equal(await purgeEnded(t, { limit: most + 10 }), 2, "the rest follows");
    },
  },
  {
    id: "purge.kept-runs-do-not-block-the-step",
    level: "L1",
    invariants: ["I26"],
    why: "If a step looks only at the oldest runs and those must stay, nothing behind them is ever purged.",
    hint: "The limit counts purged runs, not runs that were looked at.",
    async run(t) {
      const parent = await t.create({ queue: "p" });
      const link = { runId: parent.runId, incarnation: parent.incarnation, seq: 2 };
      for (let index = 0; index < 5; index++) await doneRun(t, { parent: link });
      await t.time.pass(2);
      for (let index = 0; index < 3; index++) await doneRun(t);
      const closedBefore = (await t.time.now()) + 1;
      let purged = 0;
      for (let more = true, step = 0; more && step < 20; step++) {
        const result = await t.backend.purgeRuns({ closedBefore, minAgeMs: 0, limit: 2 });
        purged += result.purged;
        ({ more } = result);
      }
      equal(purged, 3, "what may go goes, whatever stands before it");
    },
  },
  {
    id: "purge.children-of-open-parents-stay",
    level: "L1",
    invariants: ["I9", "I26"],
    guards: ["purge-of-owed-child-refused"],
    why: "A parent that repeats its start of a child must find the finished one, not start it again.",
    async run(t) {
      const q = { queues: ["p"] };
      const parent = await heldRun(t, { queue: "p" }, 60_000, q);
      const { runId, incarnation } = parent.run;
      const child = await doneRun(t, { parent: { runId, incarnation, seq: 2 } });
      equal(await purgeEnded(t), 0, "while its parent is open the child stays");
      equal(await purgeEnded(t, { runIds: [child.run.runId] }), 0, "also by name");
      t.guard("purge-of-owed-child-refused");
      await parent.worker.commit(t.make.closing(parent.task));
      equal(await purgeEnded(t), 1, "when the parent has closed, it goes");
    },
  },
  {
    id: "purge.orphans-go",
    level: "L1",
    invariants: ["I26"],
    why: "A child whose parent is gone, or whose parent's name has been taken by another run, is owed to nobody.",
    async run(t) {
      await doneRun(t, { parent: { runId: "gone", incarnation: "gone-incarnation-1", seq: 2 } });
      const taken = await t.create({ queue: "p" });
      await doneRun(t, { parent: { runId: taken.runId, incarnation: "earlier-incarnation", seq: 2 } });
      equal(await purgeEnded(t), 2, "both are purged");
      check(await t.backend.getRun(taken.runId), "the run that has the name now stays");
    },
  },
  {
    id: "purge.parent-and-child-together",
    level: "L1",
    invariants: ["I26"],
    why: "A finished family goes in one purge, or in a few.",
    async run(t) {
      const parent = await doneRun(t);
      const { runId, incarnation } = parent.run;
      await doneRun(t, { parent: { runId, incarnation, seq: 2 } });
      const grown = await doneRun(t, { parent: { runId, incarnation, seq: 3 } });
      const { runId: id, incarnation: own } = grown.run;
      await doneRun(t, { parent: { runId: id, incarnation: own, seq: 2 } });
      let purged = 0;
      for (let step = 0; step < 4; step++) purged += await purgeEnded(t);
      equal(purged, 4, "nobody of it is left");
    },
  },
  {
    id: "purge.neighbours-stay",
    level: "L1",
    invariants: ["I22", "I26"],
    why: "Deleting by prefix or pattern takes runs with similar ids along.",
    async run(t) {
      const ids = ["order", "order-1", "order:1", "order/1", "Order", "order ", "orde", "o%", "o_der", "order*"];
      for (const runId of ids) {
        const { task } = await heldRun(t, { runId });
        const entry = t.make.cacheEntry({ key: `of ${runId}`, owner: task.claim });
        await t.backend.writeCache([entry]);
        await t.worker().commit(t.make.final(task));
      }
      for (const gone of ["order", "o%", "o_der", "order*"])
        equal(await purgeEnded(t, { runIds: [gone] }), 1, `${gone} goes`);
      for (const runId of ["order-1", "order:1", "order/1", "Order", "order ", "orde"]) {
        equal((await history(t.backend, runId)).length, 2, `${runId} stays, with its history`);
        check((await t.backend.readCache([`of ${runId}`]))[0], "and its cache entry");
      }
    },
  },
];
