import type { Attributes, ClaimedWorkflowTask as Held } from "@perdure/core/storage";
import { check, contains, equal, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { doneRun, heldRun, park } from "../../scenes.ts";
import { history } from "../../snapshot.ts";

export const commitCases: readonly ConformanceCase[] = [
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
      await t.listed(async () => {
        const found = (attributes: Attributes): Promise<number> =>
          t.backend.listRuns({ attributes, limit: 10 }).then(({ items }) => items.length);
        equal([await found({ c: true }), await found({ a: 1 })], [1, 0], "and it is found by the new ones");
      });
      contains(await stored(), { state: '"s1"', attributes: { c: true } }, "attributes are replaced, not merged");
      await step({});
      contains(await stored(), { state: '"s1"', attributes: { c: true } }, "nothing changes what a turn does not name");
      await step({ run: { baseSeq: 3, state: "", attributes: {} } });
      contains(await stored(), { state: "", attributes: {}, baseSeq: 3 }, "all three at once");
    },
  },
  {
    id: "commit.answers-with-the-time",
    level: "L1",
    invariants: ["I24"],
    why: "A worker knows what is due, and for how long it still holds a run, by the time that comes with each answer.",
    hint: "Every `now` is the storage's, of this very call.",
    async run(t) {
      const worker = t.worker();
      const isNow = async (what: string, call: () => Promise<object>): Promise<void> => {
        const before = await t.time.now();
        const { now = 0 } = (await call()) as { readonly now?: number };
        check(now >= before && now <= (await t.time.now()), `${what} is told the time`);
      };
      const [first, second] = [await t.create(), await t.create()];
      const [one, two] = (await worker.claim({ kinds: ["workflow"] })).tasks as [Held, Held];
      const hold = t.make.turn(one, { schedule: [t.make.activity(one.run, 2)], next: { do: "hold" } });
      await isNow("a turn with an activity", () => worker.commit(hold));
      await isNow("its repetition", () => worker.commit(hold));
      await isNow("a turn that goes on", () =>
        worker.commit(t.make.turn(one, { expectedSeq: 2, next: { do: "hold" } })),
      );
      await isNow("a renewal", () => worker.renew(one));
      const activity = await worker.takeActivity();
      const retry = t.make.outcome(activity, { do: "retry", at: 0, attempt: 2 });
      await isNow("a retry", () => worker.commit(retry));
      const again = await worker.takeActivity();
      await isNow("an outcome", () => worker.commit(t.make.outcome(again)));
      await isNow("who parks", () => worker.commit(t.make.turn(one, { expectedSeq: 3, ackInbox: 1 })));
      const end = t.make.final(two);
      await isNow("who ends a run", () => worker.commit(end));
      await isNow("and repeats that", () => worker.commit(end));
      await isNow("who gets nothing", () => worker.claim());
      equal(
        [one.run.runId, two.run.runId].toSorted(),
        [first.runId, second.runId].toSorted(),
        "both runs were told of",
      );
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
