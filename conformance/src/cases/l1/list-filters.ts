import type { RunQuery } from "@perdure/core/storage";
import { check, contains, equal, throws } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { doneRun, heldRun, park } from "../../scenes.ts";
import { createInOrder, ids } from "./pages.ts";

/** The fields of a row. */
const ROW = [
  "attributes",
  "closedAt",
  "createdAt",
  "incarnation",
  "parent",
  "priority",
  "queue",
  "runId",
  "status",
  "task",
  "version",
  "workflow",
];

export const listFilterCases: readonly ConformanceCase[] = [
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
          equal(Object.keys(item).toSorted(), ROW, "and nothing of it is missing");
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
