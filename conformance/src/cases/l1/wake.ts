import { check, contains, equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { heldRun, park } from "../../scenes.ts";

export const wakeCases: readonly ConformanceCase[] = [
  {
    id: "inbox.wakes-a-sleeper",
    level: "L1",
    invariants: ["I11"],
    why: "A signal ends a sleep of a year in the same write.",
    async run(t) {
      const wakeAt = (await t.time.now()) + 365 * 86_400_000;
      const { run, worker, task } = await heldRun(t);
      await park(t, worker, task, { next: { do: "park", wakeAt } });
      await t.backend.deliver([t.make.message(run.runId)]);
      const state = (await t.backend.getRun(run.runId))?.task;
      const readyAt = state?.readyAt ?? Infinity;
      check(wakeAt - 365 * 86_400_000 <= readyAt && readyAt <= (await t.time.now()), "the run is ready from now on");
      equal(state?.unread, 1, "and shows its unread message");
      equal((await worker.take()).messages.length, 1, "it is claimable at once");
    },
  },
  {
    id: "inbox.does-not-send-to-the-end-of-the-line",
    level: "L1",
    invariants: ["I27"],
    why: "A run that is ready and gets one message after another must not lose its place with each of them.",
    async run(t) {
      const base = await t.time.now();
      const { runId } = await t.create({ readyAt: base - 20_000 });
      await t.create({ readyAt: base - 10_000 });
      for (let index = 0; index < 3; index++) await t.backend.deliver([t.make.message(runId)]);
      equal((await t.backend.getRun(runId))?.task?.readyAt, base - 20_000, "its ready time stays");
      equal((await t.worker().take({ limit: 1 })).claim.runId, runId, "and so does its place");
    },
  },
  {
    id: "inbox.wakes-a-delayed-start",
    level: "L1",
    invariants: ["I11", "I17"],
    why: "A run that was to start next week can be cancelled today.",
    async run(t) {
      const { runId } = await t.create({ readyAt: (await t.time.now()) + 7 * 86_400_000 });
      await t.backend.deliver([t.make.message(runId)]);
      equal((await t.worker().take()).claim.runId, runId, "a message makes any parked run claimable at once");
    },
  },
  {
    id: "inbox.does-not-lift-a-block",
    level: "L1",
    invariants: ["I9", "I11"],
    guards: ["blocked-run-not-woken"],
    why: "A poisoned run that each signal wakes kills one worker after the other.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const until = (await t.time.now()) + 900_000;
      await park(t, worker, task, { next: { do: "block", reason: '"poisoned"', until } });
      const answers = await t.backend.deliver(t.make.messages(2, run.runId));
      equal(
        answers.map((answer) => answer.status),
        ["accepted", "accepted"],
        "it takes messages",
      );
      equal((await worker.claim()).tasks, [], "and stays blocked");
      t.guard("blocked-run-not-woken");
      contains((await t.backend.getRun(run.runId))?.task, { unread: 2, blocked: '"poisoned"' }, "which everybody sees");
    },
  },
];
