import { CONTRACT_VERSION, type StorageBackend } from "@perdure/core/storage";
import { check, equal, status, throws } from "../../assert.ts";
import { claimRequest } from "../../build/claim-request.ts";
import type { ConformanceCase } from "../../case.ts";
import { heldRun } from "../../scenes.ts";
import { unchanged } from "../../snapshot.ts";

export const setupCases: readonly ConformanceCase[] = [
  {
    id: "setup.idempotent",
    level: "L1",
    invariants: ["I25"],
    why: "Every process calls setup when it starts, also into a store that is full of runs.",
    hint: "Create what is missing; never drop, and never fail because something is there.",
    async run(t) {
      const { runId } = await t.create();
      await unchanged(t, [runId], "setup leaves what is stored as it was", async () => {
        await t.backend.setup();
        await (await t.open()).setup();
      });
    },
  },
  {
    id: "setup.ten-clients-at-once",
    level: "L1",
    invariants: ["I25"],
    why: "A deployment starts ten processes in the same second, and none of them may fail or spoil the schema.",
    hint: "Take a lock around the migration, or make each of its steps harmless to repeat.",
    async run(t) {
      const clients = await t.clients(10, { namespace: "a", setup: false });
      await Promise.all(clients.map((client) => client.setup()));
      const run = t.make.run();
      const answers = await Promise.all(clients.map((client) => client.createRuns([run])));
      const created = answers.flat().filter((answer) => answer.status === "created");
      equal(created.length, 1, "after a setup by ten clients, one run is created once");
      for (const client of clients) {
        check(await client.getRun(run.runId), "every client sees the same store");
      }
    },
  },
  {
    id: "setup.info",
    level: "L1",
    invariants: ["I29"],
    why: "The engine relies on what a backend declares: a limit that is missing or a word that it does not know fails late and far away.",
    async run(t) {
      const { contract, capabilities, limits, name } = t.info;
      check(name.length > 0, "a backend has a name");
      equal(contract, CONTRACT_VERSION, "the backend was written for this version of the port");
      for (const [limit, value] of Object.entries(limits)) {
        check(Number.isSafeInteger(value) && value > 0, `limits.${limit} is a whole number above zero`);
      }
      check(limits.payloadBytes <= limits.commitBytes, "a commit can hold one payload of the largest size");
      check(limits.dedupeMs >= 86_400_000, "dedupe ids of open runs are remembered for a day at least");
      const { clock, processes, durability, wakeups, listing } = capabilities;
      check(["one", "many"].includes(processes), "capabilities.processes is one or many");
      check(["fsync", "replicated", "bounded-loss", "memory"].includes(durability), "the durability class is known");
      check(["none", "in-process", "push"].includes(wakeups), "the reach of wake-ups is known");
      check(["strong", "eventual"].includes(listing), "capabilities.listing is strong or eventual");
      check(clock.kind === "shared" || clock.errorMs <= 5_000, "clocks of clients are at most five seconds apart");
      equal(
        t.backend.subscribe !== undefined,
        wakeups !== "none",
        "subscribe is there if and only if wake-ups are declared",
      );
    },
  },
  {
    id: "setup.closed-client-refuses",
    level: "L1",
    invariants: ["I28", "I29"],
    why: "A worker that goes on after its storage was closed must hear a clear error, not hang or reconnect behind one's back.",
    async run(t) {
      const client = await t.open();
      await client.close();
      await client.close();
      for (const [verb, call] of everyVerb(client, t.make.run().runId)) {
        await throws("misconfigured", `${verb} of a closed client is refused`, call);
      }
    },
  },
  {
    id: "setup.close-lets-verbs-finish",
    level: "L1",
    invariants: ["I4", "I28"],
    why: "A process that ends closes its storage while its last verbs are under way: what they were about to write is not lost, and nobody waits in vain for an answer.",
    hint: "Refuse new verbs at once, wait for those that have begun, and only then end the connections.",
    async run(t) {
      const { run: held, task } = await heldRun(t);
      const client = await t.open();
      const runs = t.make.runs(30, { queue: "other" });
      const messages = t.make.messages(10, held.runId);
      const entry = t.make.cacheEntry();
      const underWay = Promise.all([
        Promise.all(runs.map((run) => client.createRuns([run]))),
        Promise.all(messages.map((message) => client.deliver([message]))),
        client.commitTasks([t.make.turn(task)]),
        client.writeCache([entry]),
        client.getRun(held.runId),
        t.worker(client).claim({ queues: ["nobody"] }),
      ]);
      // Heard of below, when all that is stored was looked at.
      underWay.catch(() => {});
      const closing = client.close();
      await throws("misconfigured", "a verb after close is refused", () => client.getRun(held.runId));
      await closing;
      const stored = await Promise.all(runs.map(({ runId }) => t.backend.getRun(runId)));
      equal(stored.filter((run) => run === undefined).length, 0, "what had begun is stored when close has resolved");
      const [created, delivered, [committed], [cached], read, claimed] = await underWay;
      for (const [answer] of created) status(answer, "created", "a run whose creation had begun is created");
      for (const [answer] of delivered) status(answer, "accepted", "a message that was on its way is accepted");
      status(committed, "ok", "a commit that had begun is applied");
      status(cached, "written", "an entry that was about to be written is written");
      equal(read?.runId, held.runId, "a read that had begun is answered");
      equal(claimed.tasks, [], "a claim that had begun is answered");
      const run = (await t.backend.getRun(held.runId))!;
      equal([run.lastSeq, run.task?.unread], [2, 10], "the commit and the messages are stored");
    },
  },
  {
    id: "setup.close-leaves-other-clients",
    level: "L1",
    invariants: ["I4", "I28"],
    why: "One component closes its client while another of the same process goes on.",
    hint: "Clients must not share a connection that the first close ends, unless they count who uses it.",
    async run(t) {
      const first = await t.open();
      const run = t.make.run();
      status((await first.createRuns([run]))[0], "created", "the run is created");
      await first.close();
      check(await t.backend.getRun(run.runId), "a client that was open before sees what the closed one wrote");
      check(await (await t.open()).getRun(run.runId), "a client that is opened later sees it, too");
      status((await t.backend.deliver([t.make.message(run.runId)]))[0], "accepted", "the other client still writes");
    },
  },
  {
    id: "setup.close-releases-handles",
    level: "L1",
    alone: true,
    invariants: ["I28"],
    why: "A process whose storage is closed must be able to end; a leaked timer or socket keeps it alive.",
    async run(t) {
      const before = process.getActiveResourcesInfo().length;
      for (let round = 0; round < 5; round++) {
        const client = await t.open();
        await client.createRuns([t.make.run()]);
        const subscription = await client.subscribe?.(() => {});
        subscription?.add({ of: "queue", queue: "main" });
        await client.close();
      }
      let after = Infinity;
      for (let wait = 0; wait < 40 && after > before; wait++) {
        await t.time.wait(25);
        after = process.getActiveResourcesInfo().length;
      }
      check(after <= before, "after close, no timer, socket or file is left open");
    },
  },
  {
    id: "setup.now-never-goes-back",
    level: "L1",
    invariants: ["I24"],
    why: "Leases and timers are compared with this clock; one that goes back hides woken runs and revives dead leases.",
    async run(t) {
      const clients = [t.backend, ...(await t.clients(2))];
      let last = 0;
      for (let round = 0; round < 60; round++) {
        const now = await clients[round % clients.length]!.now();
        check(Number.isSafeInteger(now), "now is whole milliseconds");
        check(now + t.time.errorMs >= last, `now is never less than an earlier answer (${now} after ${last})`);
        last = Math.max(last, now);
        if (round % 10 === 0) await t.time.pass(3);
      }
    },
  },
  {
    id: "setup.empty-batches",
    level: "L1",
    invariants: ["I29"],
    why: "A group commit that finds nothing to do must be harmless.",
    hint: "SQL has no INSERT of zero rows and no IN ().",
    async run(t) {
      const { backend } = t;
      equal(await backend.createRuns([]), [], "no run, no answer");
      equal(await backend.readEvents([]), [], "no request, no page");
      equal(await backend.renewLeases([], 60_000), [], "no claim, no answer");
      equal(await backend.commitTasks([]), [], "no commit, no answer");
      equal(await backend.unblockTasks([]), [], "no task, no answer");
      equal(await backend.deliver([]), [], "no message, no answer");
      equal(await backend.readCache([]), [], "no key, no entry");
      equal(await backend.writeCache([]), [], "no entry, no answer");
    },
  },
  {
    id: "setup.batch-limits",
    level: "L1",
    invariants: ["I3", "I29"],
    guards: ["batch-limit-refused"],
    why: "A batch over the declared limit is the caller's mistake on every verb: a typed error, and nothing of it is done.",
    hint: "Begin each verb with its check from @perdure/core/storage.",
    async run(t) {
      const { backend, make } = t;
      const { run, worker, task } = await heldRun(t);
      const many = <T>(item: T): T[] => Array.from({ length: t.info.limits.batch + 1 }, () => item);
      const turn = make.turn(task);
      const calls: Readonly<Record<string, () => Promise<unknown>>> = {
        readEvents: () => backend.readEvents(many({ runId: run.runId, after: 0 })),
        renewLeases: () => backend.renewLeases(many(task.claim), 900_000),
        commitTasks: () => backend.commitTasks(many(turn)),
        unblockTasks: () => backend.unblockTasks(many(task.claim.taskId)),
        readCache: () => backend.readCache(many("key")),
        writeCache: () => backend.writeCache(many(make.cacheEntry({ key: "key" }))),
      };
      await unchanged(t, [run.runId], "a refused batch does nothing", async () => {
        for (const [verb, call] of Object.entries(calls)) {
          await throws("invalid-argument", `${verb} refuses one element more than the limit`, call);
          t.guard("batch-limit-refused");
        }
      });
      equal(await backend.readCache(["key"]), [undefined], "nothing is cached");
      status(await worker.commit(turn), "ok", "the same turn alone is applied");
    },
  },
  {
    id: "setup.malformed-claims",
    level: "L1",
    invariants: ["I29"],
    why: "A claim that no store has minted is a mistake of the caller, not a lost lease.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const malformed = [{ epoch: 0 }, { epoch: 1.5 }, { incarnation: "short" }, { runId: "" }, { runId: "a\0b" }];
      await unchanged(t, [run.runId], "nothing of it is done", async () => {
        for (const bad of malformed) {
          const claim = { ...task.claim, ...bad };
          const what = `a claim with ${JSON.stringify(bad)} is refused`;
          await throws("invalid-argument", what, () => worker.renew({ claim }));
          await throws("invalid-argument", what, () => worker.commit(t.make.turn(task, { claim })));
          const entry = t.make.cacheEntry({ owner: claim });
          await throws("invalid-argument", what, () => t.backend.writeCache([entry]));
        }
      });
    },
  },
  {
    id: "setup.undeclared-transaction-refused",
    level: "L1",
    invariants: ["I3", "I29"],
    why: "A caller who passes a transaction believes that the write is part of it. A backend that ignores it would write outside, for good.",
    hint: "Begin each of the three verbs with checkTransaction.",
    async run(t) {
      const { backend, make } = t;
      const run = make.run();
      const tx = { nobody: "knows" };
      const { transactions } = t.info.capabilities;
      if (!transactions.includes("createRuns")) {
        await throws("unsupported", "createRuns refuses a transaction", () => backend.createRuns([run], { tx }));
      }
      if (!transactions.includes("deliver")) {
        await throws("unsupported", "deliver refuses a transaction", () =>
          backend.deliver([make.message(run.runId)], { tx }),
        );
      }
      await t.backend.createRuns([run]);
      const commit = make.turn(await t.worker().take());
      if (!transactions.includes("commitTasks")) {
        await throws("unsupported", "commitTasks refuses a transaction", () => backend.commitTasks([commit], { tx }));
      }
    },
  },
];

function everyVerb(client: StorageBackend, runId: string): readonly (readonly [string, () => Promise<unknown>])[] {
  const worker = { workerId: "w", workerInstance: "instance", holding: [] };
  const calls: [string, () => Promise<unknown>][] = [
    ["setup", () => client.setup()],
    ["now", () => client.now()],
    ["createRuns", () => client.createRuns([])],
    ["getRun", () => client.getRun(runId)],
    ["listRuns", () => client.listRuns({ limit: 10 })],
    ["readEvents", () => client.readEvents([{ runId, after: 0 }])],
    ["claimTasks", () => client.claimTasks(claimRequest(worker))],
    ["renewLeases", () => client.renewLeases([], 60_000)],
    ["commitTasks", () => client.commitTasks([])],
    ["unblockTasks", () => client.unblockTasks([])],
    ["deliver", () => client.deliver([])],
    ["readCache", () => client.readCache(["key"])],
    ["writeCache", () => client.writeCache([])],
    ["stats", () => client.stats()],
    ["purgeRuns", () => client.purgeRuns({ closedBefore: 0, limit: 1 })],
  ];
  if (client.subscribe !== undefined) calls.push(["subscribe", () => client.subscribe!(() => {})]);
  return calls;
}
