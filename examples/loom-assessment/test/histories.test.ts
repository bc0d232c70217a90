import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type ExportedHistory, replayHistory } from "@perdure/core/testing";
import { expect, it } from "vitest";
import { assessment } from "../src/assessment.ts";

const folder = join(import.meta.dirname, "..", "histories");
const files = globSync("v*/*.json", { cwd: folder }).toSorted();

it.each(files)("%s is replayed by today's code, from every place where a worker may have died (I14)", async (file) => {
  const exported = JSON.parse(readFileSync(join(folder, file), "utf8")) as ExportedHistory;
  const { status } = await replayHistory(assessment, exported, { prefixes: true });
  expect(file).toContain(`/${status}`);
});

it("has a history of every outcome", () => {
  const outcomes = ["completed", "completed-without-answers", "failed-unknown-topic", "open-waiting"];
  expect(files).toEqual(expect.arrayContaining(outcomes.map((outcome) => `v0.1/${outcome}.json`)));
});
