import { activityTaskId } from "@perdure/core/storage";
import { check, equal, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { heldRun, park } from "../../scenes.ts";
import { history, unchanged } from "../../snapshot.ts";

export const eventsCases: readonly ConformanceCase[] = [
  {
    id: "events.dense-and-in-order",
    level: "L1",
    invariants: ["I1", "I2"],
    why: "Replay goes by position: a gap or a swap gives the code another past.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      let seq = 1;
      let seen = await history(t.backend, run.runId);
      for (const count of [1, 3, 7, 1, 20]) {
        const events = t.make.events(count, { command: seq });
        await worker.commit(t.make.turn(task, { expectedSeq: seq, events, next: { do: "hold" } }));
        seq += count;
        const now = await history(t.backend, run.runId);
        equal(
          now.map((event) => event.seq),
          Array.from({ length: seq }, (_, i) => i + 1),
          "seq is 1 … n",
        );
        equal(now.slice(0, seen.length), seen, "every read extends every earlier read");
        equal(
          now.slice(-count),
          events.map((event, i) => ({ ...event, seq: seq - count + 1 + i })),
          "in the order given",
        );
        seen = now;
      }
      equal((await t.backend.getRun(run.runId))?.lastSeq, seq, "lastSeq is the head");
    },
  },
  {
    id: "events.kept-as-written",
    level: "L1",
    invariants: ["I2", "I23"],
    why: "Storage never writes into an event: its time is the engine's, its number the code's.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const events = [
        t.make.event({ type: "STEP_STARTED", command: null, at: 0 }),
        t.make.event({ type: "type of tomorrow/2", command: 0, at: 253_402_300_799_999 }),
        t.make.event({ command: 2_147_483_648, at: 1 }),
        t.make.event({ command: 9_007_199_254_740_991, at: 4_294_967_296 }),
      ];
      await worker.commit(t.make.turn(task, { events }));
      equal(
        (await history(t.backend, run.runId)).slice(1),
        events.map((event, index) => ({ ...event, seq: index + 2 })),
        "every field comes back",
      );
    },
  },
  {
    id: "events.pages",
    level: "L1",
    invariants: ["I1", "I19"],
    why: "A long history is read in pages; together they are the history.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      await worker.commit(t.make.turn(task, { events: t.make.events(24) }));
      const whole = await history(t.backend, run.runId);
      for (const limit of [1, 4, 5, 24, 25, 26]) {
        const seen = [];
        for (let after = 0; ;) {
          const [page] = await t.backend.readEvents([{ runId: run.runId, after, limit }]);
          check(page!.events.length <= limit, "a page has at most limit events");
          equal(page!.lastSeq, 25, "each page names the head");
          seen.push(...page!.events);
          after = seen.length;
          if (after >= page!.lastSeq) break;
          equal(page!.events.length, limit, "a page before the last one is full");
        }
        equal(seen, whole, `pages of ${limit} are the whole history`);
      }
    },
  },
  {
    id: "events.at-and-after-the-head",
    level: "L1",
    invariants: ["I1"],
    why: "A worker that has everything asks for what is after it, and must get nothing.",
    async run(t) {
      const { runId } = await t.create();
      for (const after of [1, 2, 1_000_000]) {
        equal(
          await t.backend.readEvents([{ runId, after }]),
          [{ events: [], lastSeq: 1 }],
          "nothing is after the head",
        );
      }
    },
  },
  {
    id: "events.page-cap",
    level: "L1",
    invariants: ["I1", "I19"],
    why: "A page is capped by the declared limit, whatever was asked: an answer must fit into memory and into a packet.",
    async run(t) {
      const { eventPage, eventsPerCommit } = t.info.limits;
      const wanted = Math.min(eventPage + 3, 20_000);
      const { run, worker, task } = await heldRun(t);
      for (let seq = 1; seq < wanted;) {
        const events = t.make.events(Math.min(eventsPerCommit, wanted - seq, 1_000));
        status(
          await worker.commit(t.make.turn(task, { expectedSeq: seq, events, next: { do: "hold" } })),
          "ok",
          "the events are appended",
        );
        seq += events.length;
      }
      const requests = [
        { runId: run.runId, after: 0 },
        { runId: run.runId, after: 0, limit: wanted * 2 },
      ];
      for (const page of await t.backend.readEvents(requests)) {
        equal(page.events.length, Math.min(eventPage, wanted), "a page has at most limits.eventPage events");
        equal(page.lastSeq, wanted, "and says that there is more");
      }
      equal((await history(t.backend, run.runId)).length, wanted, "the pages together are the history");
    },
  },
  {
    id: "events.batch-of-requests",
    level: "L1",
    invariants: ["I1", "I22"],
    why: "A worker reads the news of all its runs in one call; each page must be the right run's.",
    async run(t) {
      const worker = t.worker();
      const runs = [];
      for (let index = 0; index < 5; index++) {
        const run = await t.create({ runId: `run-${index}` });
        const task = await worker.take();
        await park(t, worker, task, { events: t.make.events(index + 1, { data: `"of run ${index}"` }) });
        runs.push(run);
      }
      const order = [3, 0, 4, 3, 1];
      const pages = await t.backend.readEvents([
        ...order.map((index) => ({ runId: `run-${index}`, after: 1 })),
        { runId: "nobody", after: 0 },
        { runId: "run-2", after: 0, limit: 1 },
      ]);
      equal(pages.length, 7, "one page for each request");
      for (const [at, index] of order.entries()) {
        const page = pages[at]!;
        equal(page.lastSeq, index + 2, "each page is its run's");
        equal(
          page.events.map((event) => event.data),
          Array.from({ length: index + 1 }, () => `"of run ${index}"`),
          "all of it",
        );
      }
      equal(pages[5], { events: [], lastSeq: 0 }, "an unknown run has no event");
      equal(
        pages[6]!.events.map((event) => event.seq),
        [1],
        "limits are per request",
      );
    },
  },
  {
    id: "events.by-incarnation",
    level: "L1",
    invariants: ["I6", "I22"],
    why: "A reader that continues a purged run must not be given the history of a new one with the same id.",
    async run(t) {
      const run = await t.create();
      const right = { runId: run.runId, incarnation: run.incarnation, after: 0 };
      const wrong = { ...right, incarnation: t.make.run().incarnation };
      const [mine, other] = await t.backend.readEvents([right, wrong]);
      equal(mine?.events.length, 1, "the run's own incarnation reads its events");
      equal(other, { events: [], lastSeq: 0 }, "another one reads an unknown run");
    },
  },
  {
    id: "events.largest-commit",
    level: "L1",
    invariants: ["I1", "I3", "I29"],
    guards: ["too-many-events-refused"],
    why: "A fan-out of a thousand finishes in one turn: its events are one commit, all or nothing.",
    hint: "Databases limit the parameters of one statement: split it inside the transaction.",
    async run(t) {
      const { eventsPerCommit, commitBytes } = t.info.limits;
      check(eventsPerCommit * 2 <= commitBytes, "the limits allow a commit of that many small events");
      const { run, worker, task } = await heldRun(t);
      const events = t.make.events(eventsPerCommit, { data: "1" });
      const over = t.make.turn(task, { events: [...events, events[0]!] });
      await unchanged(t, [run.runId], "one event too many writes nothing", async () => {
        const { code } = status(await worker.commit(over), "invalid", "one event too many is refused");
        equal(code, "too-many-events", "with the code that says so");
        t.guard("too-many-events-refused");
      });
      status(await worker.commit(t.make.turn(task, { events })), "ok", "a commit of the declared size is applied");
      const seqs = (await history(t.backend, run.runId)).map((event) => event.seq);
      equal(seqs.length, eventsPerCommit + 1, "every event is stored");
      check(
        seqs.every((seq, index) => seq === index + 1),
        "in order, without a gap",
      );
    },
  },
  {
    id: "events.inline",
    level: "L1",
    invariants: ["I1"],
    why: "Events travel with a claim while they are few, which saves a round trip for most runs.",
    async run(t) {
      const worker = t.worker();
      const run = await t.create();
      let task = await worker.take({ inlineEvents: 1 });
      equal(task.events, await history(t.backend, run.runId), "one event fits into one");
      await park(t, worker, task, { events: t.make.events(3), next: { do: "park", wakeAt: 0 } });
      task = await worker.take({ inlineEvents: 3 });
      equal(task.events, null, "four events do not travel where at most three are wanted");
      await park(t, worker, task, { events: [], next: { do: "park", wakeAt: 0 } });
      task = await worker.take({ inlineEvents: 4 });
      equal(task.events, await history(t.backend, run.runId), "four of four do");
      equal(task.lastSeq, 4, "the head travels in any case");
      await park(t, worker, task, { events: [], next: { do: "park", wakeAt: 0 } });
      equal((await worker.take({ inlineEvents: 0 })).events, null, "none travels where none is wanted");
    },
  },
  {
    id: "events.base-seq",
    level: "L1",
    invariants: ["I1", "I2"],
    why: "After continue-as-new, replay starts at the base; what is before it stays readable, in one dense sequence for life.",
    async run(t) {
      const worker = t.worker();
      const run = await t.create();
      let task = await worker.take();
      const events = t.make.events(4);
      await park(t, worker, task, { events, run: { baseSeq: 5 }, next: { do: "park", wakeAt: 0 } });
      task = await worker.take({ inlineEvents: 1 });
      equal(task.run.baseSeq, 5, "the header has the new base");
      equal(task.events, [], "only events after the base count, and travel");
      equal(task.lastSeq, 5, "the head goes on");
      await park(t, worker, task, { events: t.make.events(1), next: { do: "park", wakeAt: 0 } });
      task = await worker.take({ inlineEvents: 1 });
      equal(
        task.events?.map((event) => event.seq),
        [6],
        "the event after the base travels",
      );
      equal((await history(t.backend, run.runId)).length, 6, "the whole history is still there");
      equal((await t.backend.getRun(run.runId))?.baseSeq, 5, "the run row has the base");
    },
  },
  {
    id: "events.of-many-runs-apart",
    level: "L1",
    invariants: ["I1", "I22"],
    why: "Keys that are built by joining ids can collide: the events of one run would appear in another.",
    async run(t) {
      const ids = ["a", "a:1", "a:1:2", "a/1", "1", "11", "a.1", activityTaskId("a", "x".repeat(16), 1)];
      const worker = t.worker();
      for (const runId of ids) {
        await t.create({ runId });
        const task = await worker.take();
        await park(t, worker, task, { events: t.make.events(12, { data: JSON.stringify(runId) }) });
      }
      for (const runId of ids) {
        const events = (await history(t.backend, runId)).slice(1);
        equal(events.length, 12, "a run has its own events");
        check(
          events.every((event) => event.data === JSON.stringify(runId)),
          "and no other's",
        );
      }
    },
  },
];
