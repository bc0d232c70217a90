import type { Page, RunQuery, RunSummary } from "@perdure/core/storage";
import { check, equal, throws, unique } from "../../assert.ts";
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
];
