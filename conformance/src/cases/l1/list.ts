import type { Page, RunQuery, RunSummary, StorageBackend } from "@perdure/core/storage";
import { check, contains, equal, throws, unique } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import type { CaseContext } from "../../context.ts";
import { doneRun, heldRun, park } from "../../scenes.ts";

/** Every page of a query, to the end. */
export async function pages(backend: StorageBackend, query: RunQuery): Promise<readonly Page<RunSummary>[]> {
  const seen: Page<RunSummary>[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<RunSummary> = await backend.listRuns({ ...query, ...(cursor !== null && { cursor }) });
    check(page.items.length <= query.limit, "a page has at most limit items");
    seen.push(page);
    check(seen.length < 5_000, "pages come to an end");
    ({ cursor } = page);
  } while (cursor !== null);
  return seen;
}

async function ids(backend: StorageBackend, query: Omit<RunQuery, "limit">, limit = 100): Promise<readonly string[]> {
  return (await pages(backend, { ...query, limit })).flatMap(({ items }) => items.map(({ runId }) => runId));
}

/** Creates runs one after another, each a little later than the one before. */
async function createInOrder(t: CaseContext, count: number): Promise<readonly string[]> {
  const created: string[] = [];
  for (let index = 0; index < count; index++) {
    created.push((await t.create()).runId);
    await t.time.pass(2);
  }
  return created;
}

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
        equal((await t.backend.listRuns({ limit: 20 })).cursor, null, "the last page has no cursor");
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
    id: "list.summaries",
    level: "L1",
    invariants: ["I19", "I20"],
    why: "A list that shows another state than the run itself sends people the wrong way.",
    async run(t) {
      const parent = { runId: "p", incarnation: "parent-incarnation-1", seq: 3 };
      await t.create({ parent, version: "3", priority: 4, attributes: { a: "b" }, deadlineAt: 5 });
      const held = await heldRun(t, { queue: "q2" }, 60_000, { queues: ["q2"] });
      const parked = await heldRun(t, { queue: "q3" }, 60_000, { queues: ["q3"] });
      await park(t, parked.worker, parked.task, { next: { do: "park", wakeAt: 253_402_300_799_999 } });
      const blocked = await heldRun(t, { queue: "q4" }, 60_000, { queues: ["q4"] });
      await park(t, blocked.worker, blocked.task, { next: { do: "block", reason: '"why"', until: null } });
      await doneRun(t, { queue: "q5" }, { queues: ["q5"] });
      await t.backend.deliver([t.make.message(held.run.runId)]);
      await t.listed(async () => {
        const { items } = await t.backend.listRuns({ limit: 10 });
        equal(items.length, 5, "every run is listed");
        for (const item of items) {
          const run = await t.backend.getRun(item.runId);
          contains(run, { ...item }, "a row says what the run says");
          for (const heavy of ["input", "output", "state", "failure"])
            check(!(heavy in item), "rows carry no payloads");
        }
      });
    },
  },
  {
    id: "list.filters",
    level: "L1",
    invariants: ["I19"],
    why: "Each filter selects what it says, alone and together with others.",
    async run(t) {
      const parent = { runId: "parent", incarnation: "parent-incarnation-1", seq: 3 };
      await t.create({ runId: "plain" });
      await t.create({ runId: "child", parent });
      await t.create({ runId: "other queue", queue: "other" });
      await t.create({ runId: "other workflow", workflow: "other", attributes: { vip: true, tier: 2 } });
      await t.create({ runId: "tagged", attributes: { vip: true, tier: 1 } });
      const q = { queues: ["q"] };
      const blocked = await heldRun(t, { runId: "blocked", queue: "q" }, 60_000, q);
      await park(t, blocked.worker, blocked.task, { next: { do: "block", reason: '"why"', until: null } });
      await doneRun(t, { runId: "completed", queue: "q" }, q);
      const failing = await heldRun(t, { runId: "failed", queue: "q" }, 60_000, q);
      await failing.worker.commit(t.make.final(failing.task, { close: { status: "failed" } }));
      const closing = await heldRun(t, { runId: "closing", queue: "q" }, 60_000, q);
      await closing.worker.commit(t.make.closing(closing.task, { close: { status: "cancelled" } }));

      const open = ["plain", "child", "other queue", "other workflow", "tagged", "blocked"];
      const closed = ["completed", "failed", "closing"];
      const queries: readonly (readonly [Omit<RunQuery, "limit">, readonly string[]])[] = [
        [{ status: ["open"] }, open],
        [{ status: ["completed", "failed"] }, ["completed", "failed"]],
        [{ status: ["cancelled"] }, ["closing"]],
        [{ status: [] }, []],
        [{ workflow: "other" }, ["other workflow"]],
        [{ queue: "other" }, ["other queue"]],
        [{ queue: "nobody's" }, []],
        [{ blocked: true }, ["blocked"]],
        [{ blocked: false }, [...open.filter((id) => id !== "blocked"), ...closed]],
        [{ parentRunId: "parent" }, ["child"]],
        [{ attributes: { vip: true } }, ["other workflow", "tagged"]],
        [{ attributes: { vip: true, tier: 1 } }, ["tagged"]],
        [{ attributes: { vip: true, missing: 1 } }, []],
        [{ attributes: {} }, [...open, ...closed]],
        [{ attributes: { vip: true }, workflow: "order" }, ["tagged"]],
        [{ queue: "q", status: ["open"], blocked: true, workflow: "order" }, ["blocked"]],
        [{ queue: "q", blocked: false, status: ["open"] }, []],
      ];
      await t.listed(async () => {
        for (const [query, expected] of queries) {
          for (const limit of [1, 100]) {
            equal((await ids(t.backend, query, limit)).toSorted(), expected.toSorted(), `for ${JSON.stringify(query)}`);
          }
        }
      });
    },
  },
  {
    id: "list.by-time",
    level: "L1",
    invariants: ["I19"],
    why: "Days that are listed one by one must neither overlap nor leave a gap.",
    async run(t) {
      const created = await createInOrder(t, 6);
      const times = await Promise.all(created.map(async (runId) => (await t.backend.getRun(runId))!.createdAt));
      const between = (from: number, to: number): string[] =>
        created.filter((_, index) => times[index]! >= from && times[index]! < to).toReversed();
      await t.listed(async () => {
        for (const from of times) {
          for (const to of times) {
            const query = { createdAfter: from, createdBefore: to };
            equal(await ids(t.backend, query), between(from, to), "createdAfter is inclusive, createdBefore exclusive");
          }
        }
        equal(await ids(t.backend, { createdAfter: times[3]! }), between(times[3]!, Infinity), "each works alone");
        equal(await ids(t.backend, { createdBefore: times[3]! }), between(0, times[3]!), "each works alone");
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
    id: "list.malformed",
    level: "L1",
    invariants: ["I29"],
    why: "A limit of a billion is refused, not tried.",
    async run(t) {
      for (const limit of [0, -1, 1001, 1.5, Number.NaN]) {
        await throws("invalid-argument", `limit ${limit} is refused`, () => t.backend.listRuns({ limit }));
      }
      await throws("invalid-argument", "an empty name is refused", () =>
        t.backend.listRuns({ workflow: "", limit: 1 }),
      );
    },
  },
  {
    id: "list.empty",
    level: "L1",
    invariants: ["I19"],
    why: "A new store has an empty list, and counts of zero.",
    async run(t) {
      equal(await t.backend.listRuns({ limit: 10 }), { items: [], cursor: null }, "there is nothing to list");
      contains(
        await t.backend.stats(),
        { runs: { open: 0, completed: 0, failed: 0, cancelled: 0 }, queues: [], discardedMessages: 0 },
        "nor to count",
      );
    },
  },
];
