import { equal, unique } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { heldRun } from "../../scenes.ts";
import { history } from "../../snapshot.ts";

export const crowdCreateCases: readonly ConformanceCase[] = [
  {
    id: "create.fifty-callers-one-run",
    level: "L3",
    invariants: ["I15"],
    guards: ["concurrent-start-refused"],
    why: "An impatient user clicks, a load balancer repeats: fifty starts with one key are one run.",
    hint: "Let the primary key decide; never look first and insert then.",
    async run(t) {
      const clients = await t.clients(5);
      for (let round = 0; round < (t.full ? 100 : 4); round++) {
        const run = t.make.run();
        const calls = Array.from({ length: 50 }, (_, index) => {
          const own = { ...run, incarnation: t.make.run().incarnation };
          return clients[index % clients.length]!.createRuns([own]);
        });
        const answers = (await Promise.all(calls)).flat();
        equal(answers.filter((answer) => answer.status === "created").length, 1, "one of fifty creates it");
        equal(answers.filter((answer) => answer.status === "existing").length, 49, "the others find it");
        equal(new Set(answers.map((answer) => answer.run.incarnation)).size, 1, "and all are told of the same one");
        t.guard("concurrent-start-refused");
        equal((await history(t.backend, run.runId)).length, 1, "it was started once");
      }
      await t.listed(async () => {
        equal((await t.backend.stats()).runs.open, t.full ? 100 : 4, "there is one run for each key");
      });
    },
  },
  {
    id: "create.fifty-different-starts",
    level: "L3",
    invariants: ["I15"],
    why: "Fifty different starts with one id: one wins, and the others hear of the conflict.",
    async run(t) {
      const clients = await t.clients(5);
      const { runId } = t.make.run();
      const calls = Array.from({ length: 50 }, (_, index) => clients[index % 5]!.createRuns([t.make.run({ runId })]));
      const statuses = (await Promise.all(calls)).flat().map((answer) => answer.status);
      equal(statuses.filter((one) => one === "created").length, 1, "one wins");
      equal(statuses.filter((one) => one === "conflict").length, 49, "the others hear of it");
    },
  },
  {
    id: "create.crossing-batches",
    level: "L3",
    invariants: ["I3", "I15"],
    why: "Batches that name the same runs in another order must not wait for each other for ever.",
    hint: "Lock rows in one order, by run id; repeat what the database chose as a deadlock's victim.",
    async run(t) {
      const clients = await t.clients(6);
      const runs = t.make.runs(20);
      const answers = await Promise.all(clients.map((client) => client.createRuns(t.random.shuffle(runs))));
      const created = answers.flat().filter((answer) => answer.status === "created");
      equal(created.length, 20, "each run is created once");
      unique(
        created.map(({ run }) => run.runId),
        "by one of them",
      );
    },
  },
  {
    id: "purge.against-create",
    level: "L3",
    invariants: ["I15", "I26"],
    why: "A run is started anew in the moment in which the old one is purged: it is the old one or a whole new one, never half of each.",
    async run(t) {
      const client = await t.open();
      for (let round = 0; round < (t.full ? 100 : 10); round++) {
        const { run, worker, task } = await heldRun(t, { queue: `q${round}` }, 60_000, { queues: [`q${round}`] });
        await worker.commit(t.make.final(task));
        const again = { ...run, incarnation: t.make.run().incarnation };
        const closedBefore = (await t.time.now()) + 1;
        const purge = { closedBefore, minAgeMs: 0, runIds: [run.runId], limit: 1 };
        const [{ purged }, answers] = await Promise.all([client.purgeRuns(purge), t.backend.createRuns([again])]);
        equal(purged, 1, "the old run is purged");
        const created = answers[0]!.status === "created";
        equal(
          (await t.backend.getRun(run.runId))?.incarnation,
          created ? again.incarnation : undefined,
          "what was answered is so",
        );
        equal((await history(t.backend, run.runId)).length, created ? 1 : 0, "with its own history only");
      }
    },
  },
];
