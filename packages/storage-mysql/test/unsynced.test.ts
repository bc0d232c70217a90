import { runConformance } from "@perdure/conformance";
import { expect, test } from "vitest";
import unsynced from "./children/unsynced.ts";

test("the suite sees that a server answers before its log is written (I4)", { timeout: 120_000 }, async () => {
  const report = await runConformance(unsynced, { grep: "crash.server-killed", serverKills: 20 });
  expect(report.cases).toMatchObject([{ id: "crash.server-killed", status: "failed" }]);
  // What follows names every invariant of the case.
  expect(report.cases[0]?.message?.split("  [crash.", 1)[0]).toMatch(/I4|I7/u);
});
