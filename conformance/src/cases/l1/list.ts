import type { Page, RunQuery, RunSummary } from "@perdure/core/storage";
import { check, contains, equal, status, throws, unique } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { doneRun } from "../../scenes.ts";
import { createInOrder, ids } from "./pages.ts";

export const listCases: readonly ConformanceCase[] = [
  {
    id: "list.newest-first",
    level: "L1",
    invariants: ["I19"],
    why: "People look for what has just happened.",
    async run(t) {
      const created = await createInOrder(t, 8);
      await t.listed(async () =>
        equal(await ids(t.backend, {}), created.toReversed(), "runs come by creation, descending"),
      );
    },
  },
  {
    id: "list.pages",
    level: "L1",
    invariants: ["I19"],
    why: "Together the pages are the list: nothing twice, nothing missing.",
    async run(t) {
      const created = (await createInOrder(t, 11)).toReversed();
      await t.listed(async () => {
        for (const limit of [1, 2, 5, 11, 12, 1000]) {
          equal(await ids(t.backend, {}, limit), created, `pages of ${limit} are the list`);
        }
        for (const limit of [11, 20]) {
          equal(
            (await t.backend.listRuns({ limit })).cursor,
            null,
            "the last page has no cursor, also when it is full",
          );
        }
      });
    },
  },
  {
    id: "list.equal-times-in-byte-order",
    level: "L1",
    invariants: ["I19", "I22"],
    why: "Runs of one batch have one createdAt; without a total order, pages repeat some and miss others.",
    hint: "Order by createdAt and by the bytes of the run id, both descending; the cursor holds both.",
    async run(t) {
      const names = [
        "a",
        "B",
        "b",
        "A",
        "aa",
        "Z",
        "ä",
        "\uff5e",
        "😀",
        "z",
        "_",
        "~",
        "0",
        "10",
        "9",
        " ",
        "é",
        "e\u0301",
      ];
      await t.backend.createRuns(t.random.shuffle(names).map((runId) => t.make.run({ runId })));
      const expected = names.toSorted((a, b) => Buffer.compare(Buffer.from(b), Buffer.from(a)));
      await t.listed(async () => {
        for (const limit of [1, 3, 100])
          equal(await ids(t.backend, {}, limit), expected, `pages of ${limit} are in byte order`);
      });
    },
  },
  {
    id: "list.paging-under-writes",
    level: "L1",
    invariants: ["I19"],
    why: "Somebody pages through thousands of runs while others start, end and are purged: none may be seen twice, none of those that stay missed.",
    hint: "Keyset, not offset: the cursor holds the last row's key.",
    async run(t) {
      const stays = new Set<string>();
      for (let index = 0; index < 10; index++) {
        stays.add((await t.create({ runId: `stays-${index}` })).runId);
        await t.time.pass(1);
        const q = { queues: ["q"] };
        await doneRun(t, { runId: `goes-${index}`, queue: "q" }, q);
        await t.time.pass(1);
      }
      await t.listed(async () => equal((await ids(t.backend, {})).length, 20, "all runs are there"));
      const seen: string[] = [];
      let cursor: string | null = null;
      for (let page = 0; page === 0 || cursor !== null; page++) {
        const answer: Page<RunSummary> = await t.backend.listRuns({ limit: 3, ...(cursor !== null && { cursor }) });
        seen.push(...answer.items.map(({ runId }) => runId));
        ({ cursor } = answer);
        for (const sibling of ["a", "b", "c"]) await t.create({ runId: `new-${page}-${sibling}` });
        const closedBefore = (await t.time.now()) + 1;
        await t.backend.purgeRuns({ closedBefore, minAgeMs: 0, runIds: [`goes-${9 - page}`], limit: 1 });
        check(page < 50, "pages come to an end");
      }
      unique(seen, "no run is seen twice");
      for (const runId of stays) check(seen.includes(runId), `${runId} is there throughout, and seen`);
    },
  },
  {
    id: "list.paging-while-status-changes",
    level: "L1",
    invariants: ["I19"],
    why: "A filtered list may gain or lose runs between its pages, but shows none twice.",
    async run(t) {
      const worker = t.worker();
      for (let index = 0; index < 12; index++) {
        await t.create({ runId: `run-${index}`, readyAt: 100 - index });
        await t.time.pass(1);
      }
      await t.listed(async () => equal((await ids(t.backend, {})).length, 12, "all runs are there"));
      const seen: string[] = [];
      let cursor: string | null = null;
      for (let page = 0; page === 0 || cursor !== null; page++) {
        const query: RunQuery = { status: ["open"], limit: 2, ...(cursor !== null && { cursor }) };
        const answer: Page<RunSummary> = await t.backend.listRuns(query);
        seen.push(...answer.items.map(({ runId }) => runId));
        ({ cursor } = answer);
        if (page % 2 === 0) await worker.commit(t.make.final(await worker.take({ limit: 1 })));
        check(page < 50, "pages come to an end");
      }
      unique(seen, "no run is seen twice");
      for (let index = 0; index < 6; index++)
        check(seen.includes(`run-${index}`), "runs that stayed open are all seen");
    },
  },
  {
    id: "list.cursor-of-another-client",
    level: "L1",
    invariants: ["I19"],
    why: "A cursor travels through a browser and comes back to another process.",
    async run(t) {
      const created = (await createInOrder(t, 6)).toReversed();
      await t.listed(async () => {
        const first = await t.backend.listRuns({ limit: 4 });
        check(first.cursor !== null, "there is more");
        const later = await (await t.open()).listRuns({ limit: 4, cursor: first.cursor });
        const seen = [...first.items, ...later.items].map(({ runId }) => runId);
        equal(seen, created, "a client that was opened later goes on where the first stopped");
      });
    },
  },
  {
    id: "list.foreign-cursor",
    level: "L1",
    invariants: ["I29"],
    guards: ["foreign-cursor-refused"],
    why: "A cursor comes from outside: a broken one is a typed error, never a wrong page or a driver's error.",
    async run(t) {
      await createInOrder(t, 3);
      const cursors = [
        "",
        "0",
        "nonsense",
        "e30",
        "e30=",
        "AAAA",
        "../../x",
        "'; DROP TABLE runs; --",
        "[]",
        "null",
        "😀",
      ];
      for (const cursor of cursors) {
        const what = `the cursor ${JSON.stringify(cursor)} is refused`;
        await throws("invalid-argument", what, () => t.backend.listRuns({ limit: 1, cursor }));
        t.guard("foreign-cursor-refused");
      }
    },
  },
  {
    id: "list.lags-alone",
    level: "L1",
    invariants: ["I4"],
    why: "Lists may show the past, a run may not: whoever starts it, signals it or waits for its end reads it and goes by what he sees.",
    hint: "getRun, readEvents and readCache read where writes go, never a copy or an index that follows later.",
    async run(t) {
      const reader = await t.open();
      const run = t.make.run();
      const shows = async (expected: object | null, what: string): Promise<void> => {
        const seen = await reader.getRun(run.runId);
        if (expected === null) return equal(seen, undefined, what);
        contains({ ...seen, ...seen?.task, done: seen?.task === null }, { ...expected }, what);
        const [page] = await reader.readEvents([{ runId: run.runId, after: 0 }]);
        equal(page?.events.length, seen?.lastSeq, "its history is as long as it says");
      };
      await shows(null, "there is no run");
      await t.backend.createRuns([run]);
      await shows({ status: "open", lastSeq: 1, epoch: 0 }, "a new run is there at once");
      const worker = t.worker();
      const first = await worker.take({ leaseMs: 60_000 });
      await shows({ epoch: 1, leaseUntil: first.leaseUntil, deliveries: 1 }, "its claim, too");
      const renewed = status(await worker.renew(first, 90_000), "held", "the lease is renewed");
      await shows({ leaseUntil: renewed.leaseUntil }, "and the new end of its lease");
      await t.backend.deliver([t.make.message(run.runId)]);
      await shows({ unread: 1 }, "a message");
      await worker.commit(t.make.turn(first, { ackInbox: 1, next: { do: "hold" } }));
      await shows({ lastSeq: 2, unread: 0 }, "a turn");
      await worker.commit(
        t.make.turn(first, { expectedSeq: 2, ackInbox: 1, next: { do: "block", reason: '"why"', until: null } }),
      );
      await shows({ lastSeq: 3, leaseUntil: null, blocked: '"why"' }, "a block");
      await t.backend.unblockTasks([first.claim.taskId]);
      await shows({ blocked: null }, "its end");
      const second = await worker.take();
      const entry = t.make.cacheEntry({ owner: second.claim });
      await t.backend.writeCache([entry]);
      check((await reader.readCache([entry.key]))[0], "a cache entry");
      await worker.commit(t.make.closing(second));
      await shows({ status: "completed", lastSeq: 4, done: false }, "the end of the run");
      await worker.commit(t.make.turn(second, { expectedSeq: 4, events: [], next: { do: "done" } }));
      await shows({ done: true }, "that of its task");
      await t.backend.purgeRuns({ closedBefore: (await t.time.now()) + 1, minAgeMs: 0, limit: 1 });
      await shows(null, "and a purge");
    },
  },
];
