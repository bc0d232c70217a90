import { join } from "node:path";
import { activityTaskId, type NewActivityTask } from "@perdure/core/storage";
import { sqlite } from "@perdure/storage-sqlite";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { scratchDirectory } from "./scratch.ts";
import { anything, done, hold, newRun } from "../../storage-sql/test/requests.ts";

const path = join(scratchDirectory(), "plans.db");
const texts = new Set<string>();

/** Uses every verb, so that every statement is prepared, and notes their texts. */
beforeAll(async () => {
  const prepare = vi.spyOn(Database.prototype, "prepare");
  const storage = sqlite(path);
  await storage.createRuns(["a", "b", "c", "d"].map((runId) => newRun(runId, { attributes: { size: 1 } })));
  await storage.deliver([{ runId: "a", dedupeId: "m", external: true, data: "1" }]);
  const { tasks } = await storage.claimTasks(anything());
  const [a, b, c, d] = tasks.map(({ claim }) => claim);
  const task: NewActivityTask = {
    taskId: activityTaskId("a", a!.incarnation, 2),
    activity: "charge",
    queue: "main",
    priority: 1,
    input: "{}",
    attempt: 1,
    readyAt: null,
    details: null,
  };
  const other = { ...task, taskId: activityTaskId("a", a!.incarnation, 3) };
  await storage.commitTasks([
    hold(a!, 1, { ackInbox: 1, schedule: [task, other], run: { state: "{}", attributes: { size: 2 }, baseSeq: 1 } }),
    hold(b!, 1, { next: { do: "park", wakeAt: null } }),
    hold(c!, 1, { next: { do: "block", reason: '"why"', until: null } }),
    hold(d!, 1, { events: [], close: { status: "failed" }, next: { do: "park", wakeAt: null } }),
  ]);
  const activities = (await storage.claimTasks(anything())).tasks.filter(({ kind }) => kind === "activity");
  const [first, second] = activities.map(({ claim }) => claim);
  const message = { runId: "a", dedupeId: "done", external: false, data: "1" };
  await storage.commitTasks([
    { kind: "activity", claim: first!, commitId: "1", next: { do: "complete", message } },
    { kind: "activity", claim: first!, commitId: "1", next: { do: "complete", message } },
    { kind: "activity", claim: second!, commitId: "2", next: { do: "retry", at: 0, attempt: 2 } },
    hold(a!, 2, { cancel: [other.taskId], ackInbox: 1 }),
  ]);
  await storage.deliver([{ runId: "b", dedupeId: "m", external: true, data: "1" }]);
  await storage.renewLeases([a!], 60_000);
  await storage.claimTasks(anything({ workerInstance: "worker-2" }));
  await storage.unblockTasks([c!.taskId]);
  await storage.readEvents([{ runId: "a", after: 0 }]);
  await storage.writeCache([
    { key: "k", value: "1", expiresAt: 1, mode: "first", owner: a! },
    { key: "k", value: "1", expiresAt: null, mode: "replace" },
  ]);
  await storage.readCache(["k"]);
  await storage.listRuns({ limit: 10 });
  await storage.listRuns({ limit: 10, cursor: (await storage.listRuns({ limit: 1 })).cursor! });
  await storage.listRuns({ limit: 10, status: ["open"] });
  await storage.listRuns({ limit: 10, parentRunId: "a" });
  await storage.listRuns({ limit: 10, attributes: { size: 1 }, workflow: "order", blocked: true });
  await storage.stats();
  await storage.claimTasks(anything({ taskIds: [d!.taskId] }));
  await storage.commitTasks([done({ ...a!, epoch: 9 }, 3), { ...done(a!, 3), ackInbox: 2 }]);
  await storage.commitTasks([{ ...done(a!, 3), ackInbox: 2 }]);
  await storage.purgeRuns({ closedBefore: Date.now() + 1000, minAgeMs: 0, limit: 10 });
  await storage.close();
  for (const [text] of prepare.mock.calls) if (/^(select|update|delete|insert)/u.test(text)) texts.add(text);
  prepare.mockRestore();
});

function plans(): Map<string, string[]> {
  const database = new Database(path);
  const byText = new Map<string, string[]>();
  for (const text of texts) {
    const parameters = Array.from({ length: text.split("?").length - 1 }, () => null);
    const plan = database.prepare<unknown[], { detail: string }>(`explain query plan ${text}`).all(...parameters);
    byText.set(
      text,
      plan.map(({ detail }) => detail),
    );
  }
  database.close();
  return byText;
}

/** What reads or sorts more than it answers. */
function badSteps(): (readonly [string, string])[] {
  return [...plans()].flatMap(([text, details]) =>
    details
      .filter((detail) => /^SCAN (?!CONSTANT)|TEMP B-TREE|AUTOMATIC/u.test(detail) && !isFine(text, detail))
      .map((detail) => [text, detail] as const),
  );
}

/** The newest pulse is the end of a table of 64 rows. The parent's name is filtered by an index that is sorted. */
function isFine(text: string, detail: string): boolean {
  return detail === "SCAN perdure_pulse" && text.includes('order by "no" desc limit 1');
}

describe("the plan of every statement", () => {
  test("was looked at", () => {
    expect(texts.size).toBeGreaterThan(50);
  });

  test("finds its rows by a key or an index, and in order", () => {
    expect(badSteps()).toEqual([]);
  });

  test("does not depend on the values of its parameters, so that SQLite plans it once", () => {
    // SQLite looks at a parameter that a condition or a limit names directly, and then plans anew whenever it is bound.
    const conditions = [...texts].map((text) => text.replace(/^(?:update .* set .*? where|insert .*)/u, ""));
    expect(conditions.filter((condition) => /[=<>] ?\?|(?:limit|offset) \?|in \(\?/u.test(condition))).toEqual([]);
  });

  test("uses the index that was made for it", () => {
    const details = [...plans().values()].flat().join("\n");
    for (const index of [
      "perdure_tasks_lane (lane=? AND visible_at<?)",
      "perdure_tasks_held (ns=? AND instance=?)",
      "perdure_tasks_overdue (ns=? AND overdue_at<?)",
      "perdure_tasks_blocked (ns=?)",
      "perdure_runs_listed (ns=?",
      "perdure_runs_notable (ns=? AND status=?",
      "perdure_runs_children (ns=? AND parent_id=?",
      "perdure_runs_closed (ns=? AND closed_at<?)",
      "perdure_events USING PRIMARY KEY (run=? AND seq>? AND seq<?)",
      "perdure_inbox USING PRIMARY KEY (run=? AND no>? AND no<?)",
    ]) {
      expect(details).toContain(index);
    }
  });
});

describe("after somebody has run ANALYZE", () => {
  beforeAll(() => {
    const database = new Database(path);
    database.exec("analyze");
    database.close();
  });

  afterAll(() => {
    const database = new Database(path);
    database.exec("drop table sqlite_stat1; drop table sqlite_stat4");
    database.close();
  });

  test("plans of the hot verbs stay", () => {
    const hot = badSteps().filter(
      ([text]) => /perdure_(tasks|events|inbox)/u.test(text) && !text.includes("left join"),
    );
    expect(hot).toEqual([]);
  });
});
