import { type TaskId, workflowTaskId } from "@perdure/core/storage";
import { check, equal, status, throws, unique } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { doneRun, heldRun, park } from "../../scenes.ts";
import { history, unchanged } from "../../snapshot.ts";
import { ALIKE, HOSTILE, LONGEST, UNSTORABLE } from "./hostile-ids.ts";

export const idsCases: readonly ConformanceCase[] = [
  {
    id: "ids.alike-runs-are-different",
    level: "L1",
    invariants: ["I22"],
    why: "Ids that differ only in case, a trailing blank or their Unicode form are different runs of different customers.",
    hint: "Compare bytes: binary collations, no trimming, no normalisation.",
    async run(t) {
      for (const alike of ALIKE) {
        const runs = alike.map((runId) => t.make.run({ runId, input: JSON.stringify(`input of ${escape(runId)}`) }));
        for (const run of runs) status((await t.backend.createRuns([run]))[0], "created", "each id is free for itself");
        for (const run of runs) {
          const stored = await t.backend.getRun(run.runId);
          equal(stored?.runId, run.runId, "a run is found by its very id");
          equal(stored?.input, run.input, "and it is that run");
        }
      }
    },
  },
  {
    id: "ids.hostile-run-ids",
    level: "L1",
    invariants: ["I22"],
    why: "Run ids come from users: paths, quotes, wildcards and emoji must neither break nor reach anything.",
    hint: "Never build paths, patterns, keys or statements from ids without an encoding that can be undone.",
    timeoutMs: 60_000,
    async run(t) {
      for (const runId of [...HOSTILE, LONGEST]) {
        const run = await t.create({ runId });
        const worker = t.worker();
        status((await t.backend.deliver([t.make.message(runId)]))[0], "accepted", "the run takes messages");
        const task = await worker.take();
        equal(task.claim.runId, runId, "a claim names the run");
        equal(task.run.runId, runId, "the header names the run");
        equal(task.messages.length, 1, "the message travels with the claim");
        status(await worker.renew(task), "held", "its lease is renewed");
        await park(t, worker, task, { schedule: [t.make.activity(run, 2)] });
        const activity = await worker.takeActivity();
        equal(activity.claim.runId, runId, "an activity names its run");
        status(await worker.commit(t.make.outcome(activity)), "ok", "its outcome arrives");
        const last = await worker.take();
        status(await worker.commit(t.make.final(last)), "ok", "the run is completed");
        equal((await history(t.backend, runId)).length, 3, "its history is whole");
        await t.listed(async () => {
          const { items } = await t.backend.listRuns({ limit: 1000 });
          equal(
            items.map((item) => item.runId),
            [runId],
            "the list names the run, and no other",
          );
        });
        const closedBefore = (await t.time.now()) + 1;
        const { purged } = await t.backend.purgeRuns({ closedBefore, minAgeMs: 0, runIds: [runId], limit: 10 });
        equal(purged, 1, "the run is purged by its id");
      }
    },
  },
  {
    id: "ids.too-long-or-unstorable",
    level: "L1",
    invariants: ["I22", "I29"],
    why: "An id that some store cannot keep is refused by all of them, before a write: else it works until the storage is changed.",
    async run(t) {
      const good = await t.create();
      for (const bad of UNSTORABLE) {
        const what = `the id ${JSON.stringify(bad.slice(0, 20))} of ${bad.length} characters is refused`;
        await throws("invalid-argument", what, () => t.backend.createRuns([t.make.run({ runId: bad })]));
        await throws("invalid-argument", what, () => t.backend.getRun(bad));
        await throws("invalid-argument", what, () => t.backend.readEvents([{ runId: bad, after: 0 }]));
        await throws("invalid-argument", what, () => t.backend.deliver([t.make.message(bad)]));
        const message = t.make.message(good.runId, { dedupeId: bad });
        await throws("invalid-argument", what, () => t.backend.deliver([message]));
      }
      for (const key of ["", "k".repeat(513), "a\0b", "\ud800"]) {
        await throws("invalid-argument", "a malformed cache key is refused", () => t.backend.readCache([key]));
        const entry = t.make.cacheEntry({ key });
        await throws("invalid-argument", "a malformed cache key is refused", () => t.backend.writeCache([entry]));
      }
    },
  },
  {
    id: "ids.dedupe-ids",
    level: "L1",
    invariants: ["I18", "I22"],
    why: "Two signals whose ids differ in one byte are two signals.",
    async run(t) {
      const { runId } = await t.create();
      const ids = [...ALIKE.flat(), ...HOSTILE, LONGEST];
      const messages = ids.map((dedupeId) => t.make.message(runId, { dedupeId }));
      for (const message of messages) {
        status((await t.backend.deliver([message]))[0], "accepted", `${JSON.stringify(message.dedupeId)} is new`);
      }
      for (const message of messages) {
        status(
          (await t.backend.deliver([message]))[0],
          "duplicate",
          `${JSON.stringify(message.dedupeId)} was accepted`,
        );
      }
      const task = await t.worker().take();
      equal(
        task.messages.map((message) => message.dedupeId),
        ids,
        "dedupe ids come back byte for byte",
      );
    },
  },
  {
    id: "ids.cache-keys",
    level: "L1",
    invariants: ["I22"],
    why: "A cache key is made by users' code; two keys that are alike must not answer for one another.",
    async run(t) {
      const keys = [...ALIKE.flat(), ...HOSTILE, "k".repeat(512)];
      for (const [index, key] of keys.entries()) {
        const [answer] = await t.backend.writeCache([t.make.cacheEntry({ key, value: `"${index}"` })]);
        status(answer, "written", `nothing stands at ${JSON.stringify(key)} yet`);
      }
      const entries = await t.backend.readCache(keys);
      equal(
        entries.map((entry) => entry?.key),
        keys,
        "keys come back byte for byte",
      );
      equal(
        entries.map((entry) => entry?.value),
        keys.map((_, index) => `"${index}"`),
        "each key has its own value",
      );
    },
  },
  {
    id: "ids.queues-and-names",
    level: "L1",
    invariants: ["I22"],
    why: "A worker for queue `mail` has no business on queue `Mail`.",
    async run(t) {
      const names = [...ALIKE[0]!, ...ALIKE[1]!, "a b", "a%b", "a_b", "a,b", '["a"]'];
      for (const name of names) await t.create({ runId: `q ${name}`, queue: name });
      for (const name of names) await t.create({ runId: `w ${name}`, workflow: name });
      for (const name of names) {
        const byQueue = await t.worker().take({ queues: [name] });
        equal(byQueue.claim.runId, `q ${name}`, "a queue is selected by its very name");
        const byName = await t.worker().take({ handlers: { workflows: [name], activities: [] } });
        equal(byName.claim.runId, `w ${name}`, "a workflow is selected by its very name");
        await t.listed(async () => {
          equal((await t.backend.listRuns({ queue: name, limit: 100 })).items.length, 1, "and listed by it");
        });
      }
    },
  },
  {
    id: "ids.commit-ids",
    level: "L1",
    invariants: ["I7", "I22"],
    why: "A commit whose id differs in one byte from the last one is another commit; to call it a duplicate would lose it.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const ids = [...ALIKE.flat(), "x".repeat(64)];
      for (const [index, commitId] of ids.entries()) {
        const commit = t.make.turn(task, { commitId, expectedSeq: 1 + index, next: { do: "hold" } });
        status(await worker.commit(commit), "ok", `commit ${JSON.stringify(commitId)} is new`);
        equal((await t.backend.getRun(run.runId))?.lastCommitId, commitId, "the last commit id is kept byte for byte");
      }
      for (const commitId of ["", "x".repeat(65)]) {
        const commit = t.make.turn(task, { commitId });
        await throws("invalid-argument", "a commit id has 1 … 64 bytes", () => worker.commit(commit));
      }
    },
  },
  {
    id: "ids.incarnations",
    level: "L1",
    invariants: ["I6", "I22"],
    guards: ["other-incarnation-refused"],
    why: "The incarnation tells a run from an earlier one with the same id; one that is compared without case lets a stranger in.",
    async run(t) {
      const incarnation = "abcdefABCDEF-_0123456789";
      const { run, worker, task } = await heldRun(t, { incarnation });
      const other = incarnation.toUpperCase();
      const claims = [
        { ...task.claim, incarnation: other },
        { ...task.claim, incarnation: other, taskId: workflowTaskId(run.runId, other) },
        { ...task.claim, taskId: workflowTaskId(run.runId, other) },
      ];
      await unchanged(t, [run.runId], "nothing of it is written", async () => {
        for (const claim of claims) {
          status(await worker.renew({ claim }), "lost", "a renewal under another incarnation is refused");
          status(await worker.commit(t.make.turn(task, { claim })), "lease-lost", "so is a commit");
        }
        const message = t.make.message(run.runId, { incarnation: other });
        status((await t.backend.deliver([message]))[0], "unknown", "so is a message");
        t.guard("other-incarnation-refused");
      });
      const page = await t.backend.readEvents([{ runId: run.runId, incarnation: other, after: 0 }]);
      equal(page, [{ events: [], lastSeq: 0 }], "its events are those of an unknown run");
    },
  },
  {
    id: "ids.task-ids-that-name-nothing",
    level: "L1",
    invariants: ["I22", "I29"],
    why: "Ids come from people and from other versions of a program: one that names no task is unknown, like that of a task that is gone.",
    hint: "What cannot be parsed is looked up nowhere, and is no error.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const { runId, incarnation } = task.claim;
      const nothing = ["nonsense", ":", `${incarnation}.0:${runId}`, `${incarnation}.x:${runId}`, `:${runId}`, runId];
      await unchanged(t, [run.runId], "nothing is changed", async () => {
        for (const text of nothing) {
          const taskId = text as TaskId;
          const claim = { ...task.claim, taskId };
          equal(await t.backend.unblockTasks([taskId]), [{ status: "unknown" }], `${text} is blocked by nobody`);
          const { tasks, now } = await t.worker().claim({ taskIds: [taskId] });
          check(tasks.length === 0 && now > 0, "is handed out to nobody");
          status(await t.worker().renew({ claim }), "lost", "is held by nobody");
          status(await t.worker().commit(t.make.turn(task, { claim })), "lease-lost", "writes no history");
          const end = { kind: "activity", claim, commitId: t.make.commitId(), next: { do: "release" } } as const;
          status(await t.worker().commit(end), "lease-lost", "has no end");
          equal(
            await t.backend.writeCache([t.make.cacheEntry({ owner: claim })]),
            [{ status: "lease-lost" }],
            "owns nothing",
          );
        }
      });
      const cancel = nothing as TaskId[];
      status(await worker.commit(t.make.turn(task, { cancel })), "ok", "and is cancelled in vain");
    },
  },
  {
    id: "ids.start-hash",
    level: "L1",
    invariants: ["I15", "I22"],
    why: "The start hash says whether two starts are the same; it is compared byte for byte.",
    async run(t) {
      const run = await t.create({ startHash: "hash" });
      for (const startHash of ["Hash", "hash ", "hash\n", "hásh"]) {
        const [answer] = await t.backend.createRuns([{ ...run, startHash }]);
        status(answer, "conflict", `${JSON.stringify(startHash)} is not "hash"`);
      }
    },
  },
  {
    id: "ids.attributes",
    level: "L1",
    invariants: ["I19", "I22"],
    why: 'Attributes are compared by type and value: a search for the number 1 must not find the text "1".',
    async run(t) {
      const values = [1, "1", true, "true", 0, "0", false, "", "a", "A", "a ", 1.5, "ä", "null", -1];
      for (const [index, value] of values.entries()) await t.create({ runId: `v${index}`, attributes: { tag: value } });
      await t.create({ runId: "other-name", attributes: { Tag: 1, "tag ": 1, "ta'g": 1, __proto__x: 1 } });
      await t.listed(async () => {
        for (const [index, value] of values.entries()) {
          const { items } = await t.backend.listRuns({ attributes: { tag: value }, limit: 100 });
          equal(
            items.map((item) => item.runId),
            [`v${index}`],
            `attribute ${JSON.stringify(value)} finds its run only`,
          );
        }
        const { items } = await t.backend.listRuns({ attributes: { "ta'g": 1, Tag: 1 }, limit: 100 });
        equal(
          items.map((item) => item.runId),
          ["other-name"],
          "names are byte-exact, too",
        );
      });
    },
  },
  {
    id: "ids.proto-attribute",
    level: "L1",
    invariants: ["I22", "I23"],
    why: "An attribute named __proto__ is data; it must neither vanish nor change any object's prototype.",
    async run(t) {
      const attributes = JSON.parse('{"__proto__":"polluted","constructor":"x","toString":1}') as Record<
        string,
        string
      >;
      const { runId } = await t.create({ attributes });
      const stored = (await t.backend.getRun(runId))!.attributes;
      equal(Object.keys(stored).toSorted(), Object.keys(attributes).toSorted(), "every attribute comes back");
      for (const [name, value] of Object.entries(stored)) equal(value, attributes[name], "with its value");
      equal(Object.getPrototypeOf({}).polluted, undefined, "no prototype was changed");
      await t.listed(async () => {
        equal((await t.backend.listRuns({ attributes, limit: 10 })).items.length, 1, "and finds its run");
      });
    },
  },
  {
    id: "ids.finished-runs-keep-theirs",
    level: "L1",
    invariants: ["I15", "I22"],
    why: "A finished run's id stays taken until it is purged, however alike a new one looks.",
    async run(t) {
      const { run } = await doneRun(t, { runId: "Order-1" });
      status((await t.backend.createRuns([{ ...run, startHash: "x" }]))[0], "conflict", "the id is taken");
      await t.create({ runId: "order-1" });
      await t.create({ runId: "Order-1 " });
      await t.listed(async () => {
        const ids = (await t.backend.listRuns({ limit: 10 })).items.map((item) => item.runId);
        unique(ids, "each id stands once");
        check(ids.length === 3, "three ids are three runs");
      });
    },
  },
];
