import type { StorageBackend, Topic } from "@perdure/core/storage";
import { check, equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import type { CaseContext } from "../../context.ts";
import { heldRun, parkedRun } from "../../scenes.ts";

/** Waits in real time until a hint about a topic has come; one may be lost, so the cause is repeated. */
async function hinted(
  t: CaseContext,
  listener: StorageBackend,
  topic: Topic,
  cause: () => Promise<unknown>,
): Promise<boolean> {
  const wanted = JSON.stringify(sorted(topic));
  const came = new Set<string>();
  const subscription = await listener.subscribe!((hint) => void came.add(JSON.stringify(sorted(hint))));
  subscription.add(topic);
  for (let attempt = 0; attempt < 3 && !came.has(wanted); attempt++) {
    await cause();
    for (let wait = 0; wait < 40 && !came.has(wanted); wait++) await t.time.wait(attempt === 0 && wait < 10 ? 5 : 25);
  }
  await subscription.close();
  return came.has(wanted);
}

function sorted(topic: Topic): unknown {
  return Object.entries(topic).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

async function noSubscribe(t: CaseContext): Promise<void> {
  equal(
    "subscribe" in t.backend && t.backend.subscribe !== undefined,
    false,
    "where wakeups is none, subscribe is absent",
  );
}

export const hintCases: readonly ConformanceCase[] = [
  {
    id: "claim.hint",
    level: "L1",
    requires: "wakeups",
    invariants: ["I11", "I28"],
    why: "A declared hint that never comes makes every start wait for the slow poll.",
    async run(t) {
      const topic = { of: "queue", queue: "main" } as const;
      check(await hinted(t, t.backend, topic, () => t.create()), "a new run is hinted at, on its queue");
      const { run, task } = await parkedRun(t, { queue: "p" }, { queues: ["p"] });
      const woken = { of: "queue", queue: "p" } as const;
      const deliver = (): Promise<unknown> => t.backend.deliver([t.make.message(run.runId)]);
      check(await hinted(t, t.backend, woken, deliver), "a message to a parked run is hinted at, on its queue");
      const busy = await heldRun(t, { queue: "r" }, 60_000, { queues: ["r"] });
      let seq = 1;
      const schedule = (): Promise<unknown> => {
        const activity = t.make.activity(busy.run, seq + 1, { queue: "s" });
        return busy.worker.commit(
          t.make.turn(busy.task, { expectedSeq: seq++, schedule: [activity], next: { do: "hold" } }),
        );
      };
      check(
        await hinted(t, t.backend, { of: "queue", queue: "s" }, schedule),
        "a new activity is hinted at, on its own queue",
      );
      const other = t.worker();
      const release = async (): Promise<unknown> => {
        const activity = await other.takeActivity({ queues: ["s"], limit: 1 });
        return other.commit(t.make.outcome(activity, { do: "release" }));
      };
      check(await hinted(t, t.backend, { of: "queue", queue: "s" }, release), "a task that is given back is hinted at");
      const back = async (): Promise<unknown> => {
        const due = await other.take({ queues: ["p"] });
        return other.commit(t.make.turn(due, { next: { do: "park", wakeAt: 0 } }));
      };
      check(await hinted(t, t.backend, woken, back), "and so is a run");
      const { claim } = task;
      const again = await t.worker().take({ queues: ["p"] });
      await t.worker().commit(t.make.turn(again, { next: { do: "block", reason: '"why"', until: null } }));
      const unblock = (): Promise<unknown> => t.backend.unblockTasks([claim.taskId]);
      check(await hinted(t, t.backend, woken, unblock), "a run whose block is lifted is hinted at");
    },
    twin: { id: "claim.hint-undeclared", why: "The engine must know that it has to poll.", run: noSubscribe },
  },
  {
    id: "claim.hint-to-all",
    level: "L1",
    requires: "wakeups",
    invariants: ["I11"],
    why: "Two workers of one process share a client: each is to hear what it waits for, also when the other one goes.",
    async run(t) {
      const topic = { of: "queue", queue: "main" } as const;
      const calls = [0, 0, 0];
      const subscriptions = await Promise.all(
        calls.map((_, index) => t.backend.subscribe!(() => void (calls[index] = calls[index]! + 1))),
      );
      for (const subscription of subscriptions) subscription.add(topic);
      await subscriptions[2]!.close();
      check(await hinted(t, t.backend, topic, () => t.create()), "a new run is hinted at");
      for (let wait = 0; wait < 40 && calls.slice(0, 2).includes(0); wait++) await t.time.wait(25);
      check(calls[0]! > 0 && calls[1]! > 0, "everybody who waits for it is told");
    },
  },
  {
    id: "inbox.hint",
    level: "L1",
    requires: "wakeups",
    invariants: ["I11"],
    why: "A holder that is busy with an activity is to see a cancel soon, not at its next renewal.",
    async run(t) {
      const { run } = await heldRun(t);
      const topic = { of: "inbox", runId: run.runId } as const;
      const deliver = (): Promise<unknown> => t.backend.deliver([t.make.message(run.runId)]);
      check(await hinted(t, t.backend, topic, deliver), "a message to a held run is hinted at");
    },
  },
  {
    id: "commit.hint",
    level: "L1",
    requires: "wakeups",
    invariants: ["I11"],
    why: "Whoever waits for a result is to learn soon that it is there.",
    async run(t) {
      const held = [await heldRun(t), await heldRun(t)];
      let next = 0;
      const { runId } = held[0]!.run;
      const close = async (): Promise<void> => {
        const one = held[next++];
        if (one !== undefined) await one.worker.commit(t.make.final(one.task));
      };
      check(await hinted(t, t.backend, { of: "closed", runId }, close), "the end of a run is hinted at");
    },
  },
  {
    id: "claim.hint-across-clients",
    level: "L1",
    requires: "push",
    invariants: ["I11"],
    why: "Push means every process: the one that starts a run is not the one that executes it.",
    async run(t) {
      const listener = await t.open();
      const topic = { of: "queue", queue: "main" } as const;
      check(await hinted(t, listener, topic, () => t.create()), "another client's new run is hinted at");
    },
  },
  {
    id: "claim.hint-ends",
    level: "L1",
    requires: "wakeups",
    invariants: ["I28"],
    why: "A closed subscription that still calls back wakes a worker that is gone.",
    async run(t) {
      let calls = 0;
      const subscription = await t.backend.subscribe!(() => void calls++);
      subscription.add({ of: "queue", queue: "main" });
      await t.create();
      await t.time.wait(30);
      await subscription.close();
      await subscription.close();
      const before = calls;
      await t.create();
      await t.time.wait(60);
      equal(calls, before, "after close no hint comes");
      const client = await t.open();
      const left = await client.subscribe!(() => void calls++);
      left.add({ of: "queue", queue: "main" });
      await client.close();
      const after = calls;
      await t.create();
      await t.time.wait(60);
      equal(calls, after, "nor after the client was closed");
    },
  },
];
