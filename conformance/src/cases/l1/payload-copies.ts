import type { NewActivityTask } from "@perdure/core/storage";
import { contains, equal, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { history } from "../../snapshot.ts";
import { wrapVerbs } from "../../verbs.ts";

/** Neither caller nor store sees what the other does to a value later. */
export const payloadCopyCases: readonly ConformanceCase[] = [
  {
    id: "payload.copied-in",
    level: "L1",
    invariants: ["I2", "I23"],
    why: "A caller that goes on using its objects must not change what is stored.",
    hint: "Copy what comes in.",
    async run(t) {
      const attributes: Record<string, string> = { customer: "c-1" };
      const started = { type: "WORKFLOW_STARTED", command: null, at: 1_000, data: '"original"' };
      const run = await t.create({ attributes, started });
      const message = { ...t.make.message(run.runId), data: '"original"' };
      await t.backend.deliver([message]);
      attributes.customer = "changed";
      started.data = '"changed"';
      message.data = '"changed"';
      const worker = t.worker();
      const task = await worker.take();
      equal(task.messages[0]?.data, '"original"', "a message is what it was when it was accepted");
      const events = [{ ...t.make.event(), data: '"original"' }];
      const details = { ...t.make.activity(run, 2), input: '"original"' };
      await worker.commit(t.make.turn(task, { events, schedule: [details] }));
      events[0]!.data = '"changed"';
      details.input = '"changed"';
      equal((await t.backend.getRun(run.runId))?.attributes, { customer: "c-1" }, "attributes are copied");
      const data = (await history(t.backend, run.runId)).map((event) => event.data);
      equal(data, ['"original"', '"original"'], "events are copied");
      equal((await worker.takeActivity()).task.input, '"original"', "activity tasks are copied");
    },
  },
  {
    id: "payload.arguments-left-alone",
    level: "L1",
    invariants: ["I2", "I29"],
    why: "Whoever calls repeats the identical call when an answer is lost: a storage that sorts, fills or empties what it was given changes the repetition.",
    hint: "Copy a list before you sort it, and an object before you add to it.",
    async run(t) {
      const client = wrapVerbs(t.backend, async (verb, args, call) => {
        const before = structuredClone(args);
        const answer = await call();
        equal(args, before, `${verb} leaves its arguments as they are`);
        return answer;
      });
      const ids = ["z", "a", "k"];
      await client.createRuns(ids.map((runId) => t.make.run({ runId, attributes: { z: "1", a: "2" } })));
      await client.deliver(ids.map((runId) => t.make.message(runId)));
      const worker = t.worker(client);
      const turns = [];
      for (const task of (await worker.claim({ queues: ["other", "main"] })).tasks)
        if (task.kind === "workflow") turns.push(task);
      equal(turns.length, ids.length, "every run is handed out");
      const held = turns.toSorted((a, b) => (a.claim.runId < b.claim.runId ? 1 : -1));
      await client.renewLeases(
        held.map(({ claim }) => claim),
        60_000,
      );
      const schedule = (of: (typeof held)[number]): NewActivityTask[] => [t.make.activity(of.run, 2)];
      await client.commitTasks(held.map((task) => t.make.turn(task, { schedule: schedule(task) })));
      await client.commitTasks([t.make.outcome(await worker.takeActivity({ limit: 1 }))]);
      await client.unblockTasks(held.map(({ claim }) => claim.taskId));
      await client.writeCache(ids.map((key) => t.make.cacheEntry({ key })));
      await client.readCache([...ids]);
      await client.readEvents(ids.map((runId) => ({ runId, after: 0 })));
      await client.listRuns({ limit: 10, status: ["open", "completed"], attributes: { z: "1", a: "2" } });
      await client.purgeRuns({ closedBefore: 1, runIds: [...ids], status: ["failed", "completed"], limit: 10 });
    },
  },
  {
    id: "payload.copied-out",
    level: "L1",
    invariants: ["I2", "I23"],
    why: "A caller that changes an answer must not change what is stored, nor what another caller holds.",
    hint: "Never hand out live objects: copy or freeze them.",
    async run(t) {
      const { runId } = await t.create({ attributes: { customer: "c-1" } });
      await t.backend.deliver([t.make.message(runId)]);
      const entry = t.make.cacheEntry();
      const worker = t.worker();
      const task = await worker.take();
      const claim = { ...task.claim };
      const committed = await worker.commit(t.make.turn(task, { ackInbox: 0, next: { do: "hold" } }));
      const seen = async (): Promise<readonly unknown[]> => [
        await t.backend.getRun(runId),
        await t.backend.readEvents([{ runId, after: 0 }]),
        await t.backend.listRuns({ limit: 10 }),
        await t.backend.readCache([entry.key]),
      ];
      const written = await t.backend.writeCache([entry]);
      await t.listed(async () => {
        const { items } = await t.backend.listRuns({ limit: 10 });
        contains(items[0]?.task, { epoch: 1, deliveries: 0 }, "the list shows the newest write");
      });
      const before = structuredClone(await seen());
      for (const answer of [await seen(), task, committed, written]) spoil(answer);
      equal(await seen(), before, "changing an answer changes nothing that is stored");
      const renewed = status(await worker.renew({ claim }), "held", "the claim is still good");
      equal(renewed.messages.length, 1, "the inbox is untouched");
      spoil(renewed);
      const again = status(await worker.renew({ claim }), "held", "the claim is still good");
      equal(again.messages[0]?.data, '"hello"', "its message is untouched");
    },
  },
];

/** Changes whatever can be changed in a value that was handed out. */
function spoil(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const key of Reflect.ownKeys(value)) {
    const member: unknown = Reflect.get(value, key);
    spoil(member);
    if (typeof member === "string") Reflect.set(value, key, "spoiled");
    if (typeof member === "number") Reflect.set(value, key, member + 1_000);
    if (member === null) Reflect.set(value, key, "spoiled");
  }
  if (Array.isArray(value) && !Object.isFrozen(value)) value.length = 0;
}
