import { check, contains, equal, status, throws } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { withFaults } from "../../faults.ts";
import { doneRun, heldRun } from "../../scenes.ts";
import { history, unchanged } from "../../snapshot.ts";

/** Calls that write, other than commits, whose answer was lost: they are made again. */
export const lostReplyCases: readonly ConformanceCase[] = [
  {
    id: "inbox.lost-reply",
    level: "L3",
    invariants: ["I18"],
    why: "A sender that heard nothing sends again; the run gets the signal once.",
    async run(t) {
      const { runId } = await t.create();
      const flaky = withFaults(t.backend, [{ verb: "deliver", nth: 1, fault: "fail-after" }]);
      const messages = t.make.messages(3, runId);
      await throws("unavailable", "the injected fault is seen", () => flaky.deliver(messages));
      const statuses = (await flaky.deliver(messages)).map((answer) => answer.status);
      equal(statuses, ["duplicate", "duplicate", "duplicate"], "the repeated messages are recognised");
      equal((await t.worker().take()).messages.length, 3, "each is there once");
    },
  },
  {
    id: "create.lost-reply",
    level: "L3",
    invariants: ["I15"],
    why: "A caller that heard nothing starts again, and gets its own run.",
    async run(t) {
      const flaky = withFaults(t.backend, [{ verb: "createRuns", nth: 1, fault: "fail-after" }]);
      const run = t.make.run();
      await throws("unavailable", "the injected fault is seen", () => flaky.createRuns([run]));
      const [answer] = await flaky.createRuns([run]);
      equal(status(answer, "existing", "the run is there").run.incarnation, run.incarnation, "and it is its own");
      equal((await history(t.backend, run.runId)).length, 1, "it was started once");
    },
  },
  {
    id: "cache.lost-reply",
    level: "L3",
    invariants: ["I12"],
    why: "A writer that heard nothing writes again and must record the value that stands.",
    async run(t) {
      const flaky = withFaults(t.backend, [{ verb: "writeCache", nth: 1, fault: "fail-after" }]);
      const entry = t.make.cacheEntry();
      await throws("unavailable", "the injected fault is seen", () => flaky.writeCache([entry]));
      const [answer] = await flaky.writeCache([entry]);
      contains(status(answer, "kept", "its own entry stands").entry, { value: entry.value }, "with its own value");
    },
  },
  {
    id: "purge.lost-reply",
    level: "L3",
    invariants: ["I26"],
    why: "A purge that is repeated takes nothing twice and nothing else.",
    async run(t) {
      await doneRun(t);
      const open = await t.create();
      const flaky = withFaults(t.backend, [{ verb: "purgeRuns", nth: 1, fault: "fail-after" }]);
      const request = { closedBefore: (await t.time.now()) + 1, minAgeMs: 0, limit: 10 };
      await throws("unavailable", "the injected fault is seen", () => flaky.purgeRuns(request));
      equal((await flaky.purgeRuns(request)).purged, 0, "there is nothing left to purge");
      check(await t.backend.getRun(open.runId), "and nothing else was taken");
    },
  },
  {
    id: "claim.lost-unblock",
    level: "L3",
    invariants: ["I9"],
    why: "An operator who heard nothing lifts the block again, and must not disturb the run that goes on.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      await worker.commit(t.make.turn(task, { next: { do: "block", reason: '"why"', until: null } }));
      const flaky = withFaults(t.backend, [{ verb: "unblockTasks", nth: 1, fault: "fail-after" }]);
      await throws("unavailable", "the injected fault is seen", () => flaky.unblockTasks([task.claim.taskId]));
      const owner = t.worker();
      const again = await owner.take();
      await unchanged(t, [run.runId], "the repetition changes nothing", async () => {
        equal(await flaky.unblockTasks([task.claim.taskId]), [{ status: "not-blocked" }], "it is not blocked any more");
      });
      status(await owner.renew(again), "held", "its holder still holds it");
    },
  },
];
