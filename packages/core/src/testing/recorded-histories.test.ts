import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { assessment } from "../../test/assessment.ts";
import { subscription } from "../../test/subscription.ts";
import type { ExportedHistory } from "./export-history.ts";
import { replayHistory } from "./replay-history.ts";

const folder = join(import.meta.dirname, "..", "..", "test", "histories");
const workflows = [assessment, subscription] as const;

describe("histories of the first steps, patches, shields, activity tasks, shared results and generations", () => {
  it("are there", () => {
    expect(globSync("*.json", { cwd: folder }).toSorted()).toEqual([
      "assessment-cancelled.json",
      "assessment-completed.json",
      "subscription-cancelled.json",
      "subscription-completed.json",
    ]);
  });

  it.each(globSync("*.json", { cwd: folder }))(
    "%s is replayed by today's engine, from every place where a worker may have died (I14)",
    async (file) => {
      const exported = JSON.parse(readFileSync(join(folder, file), "utf8")) as ExportedHistory;
      const definition = workflows.find(({ name }) => name === exported.header.workflow);
      const { status } = await replayHistory(definition!, exported, { prefixes: true });
      expect(status).toBe(exported.header.runId);
    },
  );
});
