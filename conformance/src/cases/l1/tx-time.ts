import type { Millis, StorageBackend, StoredMessage } from "@perdure/core/storage";
import { check, equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import type { CaseContext } from "../../context.ts";
import { type HeldRun, heldRun, park } from "../../scenes.ts";

/** How long a verb is given to begin to wait for a transaction. */
const BEGINNING_MS = 30;

interface Told {
  readonly now: Millis;
  readonly messages: readonly StoredMessage[];
}

/** Verbs that a transaction with a message for their run may hold up, and what they tell of time and messages. */
const VERBS: readonly (readonly [
  name: string,
  call: (t: CaseContext, held: HeldRun, client: StorageBackend) => Promise<Told>,
])[] = [
  [
    "a turn",
    async (t, { task }, client) => {
      const [answer] = await client.commitTasks([t.make.turn(task, { next: { do: "hold" } })]);
      check(answer?.status === "ok", "a turn that waited for a message is applied");
      return answer;
    },
  ],
  [
    "a renewal",
    async (_, { task }, client) => {
      const [answer] = await client.renewLeases([task.claim], 60_000);
      check(answer?.status === "held", "a lease that waited for a message is renewed");
      return answer;
    },
  ],
  [
    "a claim by its id",
    async (t, { worker, task }, client) => {
      await park(t, worker, task);
      const { now, tasks } = await t.worker(client).claim({ taskIds: [task.claim.taskId] });
      return { now, messages: tasks.flatMap((claimed) => (claimed.kind === "workflow" ? claimed.messages : [])) };
    },
  ],
];

export const txTimeCases: readonly ConformanceCase[] = [
  {
    id: "tx.time-of-those-who-wait",
    level: "L1",
    requires: "tx-deliver",
    invariants: ["I18", "I24"],
    why: "Timers and messages are merged by time: a holder that is given a message of the future decides too early what was first.",
    hint: "Read the time when the run is locked, not before waiting for it.",
    async run(t) {
      const strange = await t.open();
      for (const [name, call] of VERBS) {
        for (const client of [t.backend, strange]) {
          const held = await heldRun(t);
          const { runId } = held.run;
          let waiting: Promise<Told> | undefined;
          await t.transaction(async (tx) => {
            await t.backend.deliver([t.make.message(runId)], { tx });
            waiting = call(t, held, client);
            waiting.catch(() => {});
            await t.time.wait(BEGINNING_MS);
            await t.time.pass(1);
            await t.backend.deliver([t.make.message(runId)], { tx });
          });
          const { now, messages } = await waiting!;
          equal(
            messages.filter(({ at }) => at > now),
            [],
            `${name} is told of no message that is later than its time`,
          );
          await t.backend.commitTasks([t.make.final(held.task, { expectedSeq: 1 })]);
        }
      }
    },
  },
];
