import { join } from "node:path";
import { sqlite } from "@perdure/storage-sqlite";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { scratchDirectory } from "./scratch.ts";
import { useEveryVerb } from "../../storage-sql/test/every-verb.ts";

const path = join(scratchDirectory(), "plans.db");
const texts = new Set<string>();

/** Uses every verb, so that every statement is prepared, and notes their texts. */
beforeAll(async () => {
  const prepare = vi.spyOn(Database.prototype, "prepare");
  const storage = sqlite(path);
  await useEveryVerb(storage);
  await storage.stats();
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
