import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { assessment } from "../../test/assessment.ts";
import type { ExportedHistory } from "./export-history.ts";
import { replayHistory } from "./replay-history.ts";

const folder = join(import.meta.dirname, "..", "..", "test", "histories");
const files = globSync("assessment-*.json", { cwd: folder }).toSorted();

describe("histories of the first steps, patches and shields", () => {
  it("are there", () => {
    expect(files).toEqual(["assessment-cancelled.json", "assessment-completed.json"]);
  });

  it.each(files)(
    "%s is replayed by today's engine, from every place where a worker may have died (I14)",
    async (file) => {
      const exported = JSON.parse(readFileSync(join(folder, file), "utf8")) as ExportedHistory;
      const { status } = await replayHistory(assessment, exported, { prefixes: true });
      expect(status).toBe(exported.header.runId);
    },
  );
});
