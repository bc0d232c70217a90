import { mysql } from "@perdure/storage-mysql";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { useEveryVerb } from "../../storage-sql/test/every-verb.ts";
import { MysqlConnection } from "../src/connection.ts";
import { textOf } from "../src/literal.ts";
import { fill } from "./filled-store.ts";
import { nameOf, newDatabase, query } from "./scratch.ts";

interface PlanRow {
  readonly table: string;
  readonly type: string;
  readonly key: string | null;
  readonly rows: string;
  readonly Extra: string;
}

const texts = new Set<string>();

/** Uses every verb on a store that is large, and notes the statements. */
beforeAll(async () => {
  const url = await newDatabase();
  const storage = mysql(url);
  await storage.setup();
  await fill(url);
  const send = vi.spyOn(MysqlConnection.prototype, "send");
  await useEveryVerb(storage);
  for (const [statements] of send.mock.calls) for (const statement of statements) texts.add(textOf(statement));
  send.mockRestore();
  await storage.close();
  await query(`use ${nameOf(url)}`);
}, 120_000);

interface Access {
  readonly text: string;
  readonly plan: readonly PlanRow[];
}

/** How the server would execute every statement that reads. */
async function accesses(): Promise<readonly Access[]> {
  const found: Access[] = [];
  for (const text of texts) {
    if (!/^(?:select|update|delete) .*perdure_/u.test(text)) continue;
    const rows = await query<PlanRow>(`explain ${text}`);
    found.push({ text, plan: rows.filter(({ table }) => table !== null && !table.startsWith("<")) });
  }
  return found;
}

/** What reads whole tables or indexes, or sorts. */
function isBad({ type, key, Extra }: PlanRow): boolean {
  return type === "ALL" || type === "index" || key === null || /filesort|temporary/u.test(Extra);
}

/** Nobody pages through attributes or blocked runs in the order of an index; a few runs of several statuses are sorted. */
function isSorted(text: string): boolean {
  return /perdure_attributes` as `a`|`blocked` is not null|`status` in \('failed', 'cancelled'\)/u.test(text);
}

describe("in a store with many runs", () => {
  test("every statement finds its rows by a key or an index, and in order", async () => {
    const all = await accesses();
    expect(all.length).toBeGreaterThan(50);
    const bad = all.filter(({ text, plan }) => plan.some(isBad) && !isSorted(text));
    expect(bad).toEqual([]);
  });

  test("hot statements read what they answer", async () => {
    const hot = (await accesses()).filter(
      ({ text }) => /perdure_(?:tasks|events|inbox|activities)`/u.test(text) && !/left join|count/u.test(text),
    );
    expect(hot.length).toBeGreaterThan(25);
    // Estimates: the index of a lane also holds the tasks that wait.
    const reads = hot.filter(
      ({ text, plan }) => plan.some(({ rows }) => Number(rows) > 100) && !/limit \d+$/u.test(text),
    );
    expect(reads).toEqual([]);
  });

  test("a page begins where the one before ended, not at the newest run", async () => {
    const pages = (await accesses()).filter(({ text }) => text.includes("`id` < "));
    expect(pages).not.toEqual([]);
    for (const { plan } of pages) expect(plan[0]).toMatchObject({ type: "range", key: "perdure_runs_listed" });
  });

  test.each([
    ["`lane` = 1 and `visible_at` <=", "perdure_tasks_lane"],
    ["`deadline_at` is not null", "perdure_tasks_overdue"],
    ["where `instance` = 'worker-1'", "perdure_tasks_held"],
    ["`visible_at` >= 0 order by `visible_at` limit 1", "perdure_tasks_lane"],
    ["as `workflow_lanes`", "perdure_tasks_lane"],
    ["as `workflow_lanes`", "perdure_tasks_overdue"],
    ["as `workflow_lanes`", "perdure_tasks_held"],
    ["`blocked` is not null", "perdure_tasks_blocked"],
    ["`created_at` <", "perdure_runs_listed"],
    ["`status` in ('failed', 'cancelled')", "perdure_runs_notable"],
    ["`parent_id` = 'old-5'", "perdure_runs_children"],
    ["`closed_at` <", "perdure_runs_closed"],
    ["from `perdure_runs` where `ns` = 1 and `id` =", "perdure_runs_id"],
    ["`perdure_events` force index", "PRIMARY"],
  ])("%s: %s", async (part, index) => {
    const found = (await accesses()).filter(({ text }) => text.includes(part));
    expect(found).not.toEqual([]);
    for (const { plan } of found) expect(plan.map(({ key }) => key)).toContain(index);
  });
});
