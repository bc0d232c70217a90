import { check, contains, equal, status, throws } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { doneRun, heldActivity, heldRun, park } from "../../scenes.ts";

export const cacheCases: readonly ConformanceCase[] = [
  {
    id: "cache.absent",
    level: "L1",
    invariants: ["I12"],
    why: "A miss is an answer, in its place among the hits.",
    async run(t) {
      const entry = t.make.cacheEntry();
      await t.backend.writeCache([entry]);
      const answers = await t.backend.readCache(["nothing", entry.key, "nothing else", entry.key]);
      const { key, value, expiresAt } = entry;
      const hit = { key, value, expiresAt };
      equal(answers, [undefined, hit, undefined, hit], "answers stand in the order of the keys");
    },
  },
  {
    id: "cache.first-writer-wins",
    level: "L1",
    invariants: ["I12"],
    guards: ["second-writer-kept-out"],
    why: "Two workers computed one memoised activity; history must record the value that everybody will read.",
    async run(t) {
      const first = t.make.cacheEntry({ value: '"first"', expiresAt: (await t.time.now()) + 900_000 });
      const second = { ...first, value: '"second"', expiresAt: null };
      const written = status((await t.backend.writeCache([first]))[0], "written", "the first stands");
      contains(written.entry, { key: first.key, value: '"first"', expiresAt: first.expiresAt }, "and is answered");
      const kept = status((await t.backend.writeCache([second]))[0], "kept", "the second does not");
      contains(kept.entry, { value: '"first"', expiresAt: first.expiresAt }, "it is told what stands");
      t.guard("second-writer-kept-out");
      contains(
        (await t.backend.readCache([first.key]))[0],
        { value: '"first"', expiresAt: first.expiresAt },
        "which is read",
      );
    },
  },
  {
    id: "cache.replace",
    level: "L1",
    invariants: ["I12"],
    why: "A checkpoint replaces the one before it.",
    async run(t) {
      const entry = t.make.cacheEntry({ mode: "replace", value: '"1"' });
      status((await t.backend.writeCache([entry]))[0], "written", "the first is written");
      const later = { ...entry, value: '"2"', expiresAt: (await t.time.now()) + 900_000 };
      const written = status((await t.backend.writeCache([later]))[0], "written", "the second is, too");
      contains(written.entry, { value: '"2"', expiresAt: later.expiresAt }, "and stands");
      equal((await t.backend.readCache([entry.key]))[0]?.value, '"2"', "which is read");
    },
  },
  {
    id: "cache.spares-other-entries",
    level: "L1",
    invariants: ["I12", "I21"],
    why: "A checkpoint that is replaced, and a result that has expired, make room for nothing but their own key.",
    hint: "Delete by namespace and key together.",
    async run(t) {
      const other = await t.open({ namespace: "b" });
      const entry = t.make.cacheEntry({ mode: "replace" });
      const neighbour = t.make.cacheEntry({ value: '"neighbour"' });
      await other.writeCache([{ ...entry, value: '"elsewhere"' }]);
      await t.backend.writeCache([neighbour, entry]);
      const expired = t.make.cacheEntry({ expiresAt: 0 });
      await t.backend.writeCache([expired, { ...entry, value: '"replaced"' }, { ...expired, expiresAt: null }]);
      const read = (await t.backend.readCache([neighbour.key, entry.key, expired.key])).map((found) => found?.value);
      equal(read, [neighbour.value, '"replaced"', expired.value], "the others stay");
      equal((await other.readCache([entry.key]))[0]?.value, '"elsewhere"', "as does the same key elsewhere");
    },
  },
  {
    id: "cache.same-key-in-one-batch",
    level: "L1",
    invariants: ["I3", "I12"],
    why: "Group commit puts two writers of one key into one batch.",
    async run(t) {
      const a = t.make.cacheEntry({ value: '"a"' });
      const answers = await t.backend.writeCache([
        a,
        { ...a, value: '"b"' },
        { ...a, value: '"c"', mode: "replace" },
        a,
      ]);
      equal(
        answers.map((answer) => answer.status),
        ["written", "kept", "written", "kept"],
        "applied in order",
      );
      equal(
        answers.map((answer) => answer.status !== "lease-lost" && answer.entry.value),
        ['"a"', '"a"', '"c"', '"c"'],
        "each is told what stands then",
      );
    },
  },
  {
    id: "cache.expiry",
    level: "L1",
    invariants: ["I12", "I24"],
    why: "An entry that has expired is absent, from that very moment.",
    async run(t) {
      const expiresAt = (await t.time.now()) + t.time.short;
      const entry = t.make.cacheEntry({ expiresAt });
      const forever = t.make.cacheEntry();
      await t.backend.writeCache([entry, forever]);
      await t.time.pass(Math.max(0, expiresAt - (await t.time.now()) - 1));
      const [early] = await t.backend.readCache([entry.key]);
      if ((await t.time.now()) < expiresAt) equal(early?.value, entry.value, "a millisecond before it is there");
      await t.time.until(expiresAt);
      const [gone, stays] = await t.backend.readCache([entry.key, forever.key]);
      equal(gone, undefined, "at expiresAt it is absent");
      equal(stays?.expiresAt, null, "an entry without expiry stays");
    },
  },
  {
    id: "cache.expired-is-overwritten",
    level: "L1",
    invariants: ["I12", "I24"],
    guards: ["expired-entry-overwritten"],
    why: "INSERT … ON CONFLICT DO NOTHING would let an expired entry block its key for ever.",
    hint: "Whether the old entry has expired is decided in the statement that writes.",
    async run(t) {
      const expiresAt = (await t.time.now()) + t.time.short;
      const entry = t.make.cacheEntry({ expiresAt, value: '"old"' });
      await t.backend.writeCache([entry]);
      await t.time.until(expiresAt);
      const [answer] = await t.backend.writeCache([{ ...entry, value: '"new"', expiresAt: null }]);
      equal(status(answer, "written", "the key is free").entry.value, '"new"', "the new value stands");
      t.guard("expired-entry-overwritten");
      contains((await t.backend.readCache([entry.key]))[0], { value: '"new"', expiresAt: null }, "and is read");
    },
  },
  {
    id: "cache.owned-by-a-claim",
    level: "L1",
    invariants: ["I6"],
    guards: ["unowned-checkpoint-refused"],
    why: "A checkpoint is written by the attempt that owns the activity, and by no other.",
    async run(t) {
      const { worker, activity } = await heldActivity(t);
      const entry = t.make.cacheEntry({ mode: "replace", owner: activity.claim });
      status((await t.backend.writeCache([entry]))[0], "written", "the owner writes");
      await worker.commit(t.make.outcome(activity, { do: "retry", at: 0, attempt: 2 }));
      const [late] = await t.backend.writeCache([{ ...entry, value: '"late"' }]);
      equal(late, { status: "lease-lost" }, "when the attempt has ended, it does not");
      t.guard("unowned-checkpoint-refused");
      equal((await t.backend.readCache([entry.key]))[0]?.value, entry.value, "the next attempt reads the checkpoint");
      const next = await worker.takeActivity();
      const owned = { ...entry, owner: next.claim, value: '"next"' };
      status((await t.backend.writeCache([owned]))[0], "written", "and goes on from it");
    },
  },
  {
    id: "cache.owned-by-a-run",
    level: "L1",
    invariants: ["I6", "I26"],
    why: "An in-process activity's checkpoints are owned by the run's claim, and stay until the run is purged.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const entry = t.make.cacheEntry({ mode: "replace", owner: task.claim });
      status((await t.backend.writeCache([entry]))[0], "written", "the holder writes");
      await park(t, worker, task, { next: { do: "park", wakeAt: 0 } });
      equal((await t.backend.writeCache([entry]))[0], { status: "lease-lost" }, "after its park it does not");
      await worker.commit(t.make.final(await worker.take()));
      check((await t.backend.readCache([entry.key]))[0], "the entry outlives the end of the run");
      await t.backend.purgeRuns({ closedBefore: (await t.time.now()) + 1, minAgeMs: 0, runIds: [run.runId], limit: 1 });
      equal((await t.backend.readCache([entry.key]))[0], undefined, "and goes with the run");
    },
  },
  {
    id: "cache.owned-by-the-last-writer",
    level: "L1",
    invariants: ["I12", "I26"],
    why: "Purge takes what a run has written, not what others have written since, nor what it only looked at.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const own = { owner: task.claim };
      const [rewritten, kept] = [t.make.cacheEntry({ mode: "replace" }), t.make.cacheEntry()];
      await t.backend.writeCache([{ ...rewritten, ...own }, rewritten, kept]);
      const [answer] = await t.backend.writeCache([{ ...kept, ...own }]);
      status(answer, "kept", "the first writer's entry stands");
      await worker.commit(t.make.final(task));
      await t.backend.purgeRuns({ closedBefore: (await t.time.now()) + 1, minAgeMs: 0, runIds: [run.runId], limit: 1 });
      equal(await t.backend.getRun(run.runId), undefined, "the run is purged");
      const [first, second] = await t.backend.readCache([rewritten.key, kept.key]);
      check(first, "what somebody else has written since stays");
      check(second, "and what was there before");
    },
  },
  {
    id: "cache.unowned-outlives-runs",
    level: "L1",
    invariants: ["I12", "I26"],
    why: "A memoised result belongs to no run.",
    async run(t) {
      const entry = t.make.cacheEntry();
      await t.backend.writeCache([entry]);
      await doneRun(t);
      await t.backend.purgeRuns({ closedBefore: (await t.time.now()) + 1, minAgeMs: 0, limit: 10 });
      check((await t.backend.readCache([entry.key]))[0], "a purge of runs leaves it");
    },
  },
  {
    id: "cache.batch-independent",
    level: "L1",
    invariants: ["I3", "I6"],
    why: "A lost owner in a batch must not cost its neighbours their writes.",
    async run(t) {
      const { task } = await heldRun(t);
      const owner = { ...task.claim, epoch: 9 };
      const entries = [t.make.cacheEntry(), t.make.cacheEntry({ owner }), t.make.cacheEntry({ owner: task.claim })];
      const answers = await t.backend.writeCache(entries);
      equal(
        answers.map((answer) => answer.status),
        ["written", "lease-lost", "written"],
        "each has its own answer",
      );
      const read = await t.backend.readCache(entries.map(({ key }) => key));
      equal(
        read.map((entry) => entry !== undefined),
        [true, false, true],
        "and only the owned ones are written",
      );
    },
  },
  {
    id: "cache.malformed",
    level: "L1",
    invariants: ["I29"],
    why: "A malformed entry refuses its batch before anything is written.",
    async run(t) {
      const good = t.make.cacheEntry();
      const call = (): Promise<unknown> => t.backend.writeCache([good, t.make.cacheEntry({ expiresAt: 1.5 })]);
      await throws("invalid-argument", "expiresAt is checked", call);
      equal((await t.backend.readCache([good.key]))[0], undefined, "nothing of the batch is written");
    },
  },
];
