import type { NewRun, Run } from "@perdure/core/storage";
import { check, contains, equal, status, throws } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { doneRun } from "../../scenes.ts";
import { history, unchanged } from "../../snapshot.ts";

/** The members of a new run that stay the same for life. */
function headerOf({ readyAt: _r, started: _s, state: _t, attributes: _a, ...header }: NewRun): Record<string, unknown> {
  return { ...header, baseSeq: 0 };
}

export const createCases: readonly ConformanceCase[] = [
  {
    id: "create.stores-everything",
    level: "L1",
    invariants: ["I3", "I4", "I5"],
    why: "Run, workflow task and first event are one write: a run without its task would never start.",
    async run(t) {
      const before = await t.time.now();
      const run = t.make.run({
        version: "1.2.0",
        priority: -3,
        parent: { runId: "parent/1", incarnation: "parent-incarnation-1", seq: 7 },
        parentClose: "cancel",
        state: '{"count":0}',
        attributes: { customer: "c-1", total: 12.5, vip: true },
        deadlineAt: before + 3_600_000,
      });
      const [answer] = await t.backend.createRuns([run]);
      const after = await t.time.now();
      const header = status(answer, "created", "a new run is created").run;
      contains(header, { ...headerOf(run), status: "open" }, "the answer brings the header and the status");

      const stored: Run | undefined = await t.backend.getRun(run.runId);
      check(stored, "the run is there as soon as it is acknowledged");
      contains(stored, headerOf(run), "the header is stored as it was given");
      contains(
        stored,
        {
          status: "open",
          closedAt: null,
          output: null,
          failure: null,
          state: run.state,
          attributes: run.attributes,
          lastSeq: 1,
          lastCommitId: null,
        },
        "a new run is open, with its state, its attributes and one event",
      );
      check(before <= stored.createdAt && stored.createdAt <= after, "createdAt is the storage's now");
      contains(
        stored.task,
        { leaseUntil: null, workerId: null, epoch: 0, deliveries: 0, blocked: null, unread: 0 },
        "its workflow task was never claimed",
      );
      const readyAt = stored.task?.readyAt ?? null;
      check(readyAt !== null && before <= readyAt && readyAt <= after, "a run without readyAt is ready now");
      equal(await history(t.backend, run.runId), [{ seq: 1, ...run.started }], "event 1 is the one that was given");
    },
  },
  {
    id: "create.nulls-stay-nulls",
    level: "L1",
    invariants: ["I23"],
    why: "An absent version, state, parent or deadline must not come back as an empty text or as zero.",
    async run(t) {
      const run = await t.create();
      contains(
        await t.backend.getRun(run.runId),
        { version: null, state: null, parent: null, parentClose: null, deadlineAt: null, attributes: {} },
        "what was null is null",
      );
    },
  },
  {
    id: "create.same-start-is-existing",
    level: "L1",
    invariants: ["I15"],
    why: "A caller that does not know whether its start arrived repeats it, and must get the one run.",
    async run(t) {
      const run = await t.create();
      const again = { ...t.make.run(), runId: run.runId, startHash: run.startHash, input: '"another"' };
      await unchanged(t, [run.runId], "an existing run is left alone", async () => {
        const [answer] = await t.backend.createRuns([again]);
        const found = status(answer, "existing", "the same id with the same start hash is the same start");
        equal(found.run.incarnation, run.incarnation, "the answer names the incarnation that is there");
        contains(found.run, { ...headerOf(run), status: "open" }, "the answer is the header of the run that is there");
      });
    },
  },
  {
    id: "create.repeated-call-is-existing",
    level: "L1",
    invariants: ["I15"],
    why: "After `unavailable` the caller repeats the identical call and learns by the incarnation that the run is its own.",
    async run(t) {
      const run = await t.create();
      const [answer] = await t.backend.createRuns([run]);
      equal(
        status(answer, "existing", "the repeated call finds the run").run.incarnation,
        run.incarnation,
        "and it is its own",
      );
    },
  },
  {
    id: "create.other-start-is-conflict",
    level: "L1",
    invariants: ["I15"],
    guards: ["conflicting-start-refused"],
    why: "The same id with another input is a mistake of the caller, who must hear of it.",
    async run(t) {
      const run = await t.create();
      await unchanged(t, [run.runId], "a conflicting start writes nothing", async () => {
        const [answer] = await t.backend.createRuns([{ ...run, startHash: "another" }]);
        const { run: found } = status(answer, "conflict", "the same id with another start hash is a conflict");
        contains(found, headerOf(run), "the answer is the header of the run that has the id");
        t.guard("conflicting-start-refused");
      });
    },
  },
  {
    id: "create.closed-run-is-existing",
    level: "L1",
    invariants: ["I15"],
    why: "A repeated start of a finished run reads its result; it must not run twice.",
    async run(t) {
      const { run } = await doneRun(t);
      await unchanged(t, [run.runId], "the finished run is left alone", async () => {
        const [same, other] = await t.backend.createRuns([run, { ...run, startHash: "another" }]);
        equal(
          status(same, "existing", "a closed run still has its id").run.status,
          "completed",
          "the answer has its status",
        );
        status(other, "conflict", "another start hash conflicts with a closed run, too");
      });
    },
  },
  {
    id: "create.same-id-twice-in-one-batch",
    level: "L1",
    invariants: ["I15"],
    why: "Group commit puts two callers of one id into one batch.",
    hint: "The elements are applied in order: the second sees the first.",
    async run(t) {
      const run = t.make.run();
      const again = { ...run, incarnation: t.make.run().incarnation };
      const answers = await t.backend.createRuns([run, again, { ...run, startHash: "another" }]);
      equal(
        answers.map((answer) => answer.status),
        ["created", "existing", "conflict"],
        "the second sees the first",
      );
      for (const answer of answers) equal(answer.run.incarnation, run.incarnation, "the first one stands");
    },
  },
  {
    id: "create.batch-independent",
    level: "L1",
    invariants: ["I3"],
    why: "A refused element must not take its neighbours down, which belong to other callers.",
    async run(t) {
      const taken = await t.create();
      const fresh = t.make.runs(4);
      const batch = [fresh[0]!, { ...taken, startHash: "x" }, fresh[1]!, fresh[2]!, taken, fresh[3]!];
      const answers = await t.backend.createRuns(batch);
      equal(
        answers.map((answer) => answer.status),
        ["created", "conflict", "created", "created", "existing", "created"],
        "each element has its own answer",
      );
      equal(
        answers.map((answer) => answer.run.runId),
        batch.map((run) => run.runId),
        "answers stand in the order of the elements",
      );
      for (const run of fresh) check(await t.backend.getRun(run.runId), "the neighbours are stored");
      equal((await t.worker().claim()).tasks.length, 5, "and each can be claimed");
    },
  },
  {
    id: "create.ready-later",
    level: "L1",
    invariants: ["I10"],
    why: "A start that was asked for at a time must not begin before it.",
    async run(t) {
      const readyAt = (await t.time.now()) + 4 * t.time.short;
      const run = await t.create({ readyAt });
      equal((await t.backend.getRun(run.runId))?.task?.readyAt, readyAt, "the ready time is stored as given");
      const early = await t.worker().claim();
      check(early.now < readyAt, "the claim is made before the run's time");
      equal(early.tasks, [], "the run is not claimable before its time");
      equal(early.nextReadyAt, t.time.claimableAt(readyAt), "a worker learns when to come back");
      await t.time.until(readyAt);
      equal((await t.worker().take()).claim.runId, run.runId, "the run is claimable at its time");
    },
  },
  {
    id: "create.unknown-run",
    level: "L1",
    invariants: ["I29"],
    why: "Asking for a run that is not there is an answer, not an error.",
    async run(t) {
      equal(await t.backend.getRun("nobody"), undefined, "an unknown run is undefined");
      equal(
        await t.backend.readEvents([{ runId: "nobody", after: 0 }]),
        [{ events: [], lastSeq: 0 }],
        "it has no event",
      );
    },
  },
  {
    id: "create.full-batch",
    level: "L1",
    invariants: ["I3", "I29"],
    guards: ["batch-limit-refused"],
    why: "A batch of the declared size works; one more is a typed error and writes nothing.",
    hint: "Databases limit the parameters of one statement: split it inside the transaction.",
    async run(t) {
      const { batch } = t.info.limits;
      const runs = t.make.runs(batch);
      const answers = await t.backend.createRuns(runs);
      check(
        answers.length === batch && answers.every((answer) => answer.status === "created"),
        "a full batch is created",
      );
      const first = t.make.run();
      await throws("invalid-argument", "one element more than the limit is refused", () =>
        t.backend.createRuns([first, ...runs]),
      );
      t.guard("batch-limit-refused");
      equal(await t.backend.getRun(first.runId), undefined, "a refused batch writes nothing");
    },
  },
  {
    id: "create.malformed-writes-nothing",
    level: "L1",
    invariants: ["I3", "I29"],
    guards: ["malformed-argument-refused"],
    why: "A malformed element is the caller's mistake: a typed error before anything is written.",
    async run(t) {
      const good = t.make.run();
      const malformed: readonly Partial<NewRun>[] = [
        { incarnation: "short" },
        { incarnation: "no blanks are allowed" },
        { priority: 10 },
        { priority: -9.5 },
        { workflow: "" },
        { queue: "q".repeat(256) },
        { readyAt: Number.NaN },
        { deadlineAt: 1.5 },
        { attributes: { size: Number.POSITIVE_INFINITY } },
        { attributes: { name: "x".repeat(256) } },
        { parent: { runId: "p", incarnation: good.incarnation, seq: 0 } },
      ];
      for (const overrides of malformed) {
        const bad = t.make.run(overrides);
        const what = `${Object.keys(overrides)[0]} is checked`;
        await throws("invalid-argument", what, () => t.backend.createRuns([good, bad]));
        t.guard("malformed-argument-refused");
      }
      equal(await t.backend.getRun(good.runId), undefined, "a batch with a malformed element writes nothing");
    },
  },
];
