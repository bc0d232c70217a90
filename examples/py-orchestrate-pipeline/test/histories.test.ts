import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type ExportedHistory, replayHistory } from "@perdure/core/testing";
import { expect, it } from "vitest";
import { loadInBatches, loadRowByRow } from "../src/load.ts";
import { pipelineWith } from "../src/pipeline.ts";

const folder = join(import.meta.dirname, "..", "histories");
const files = globSync("v*/*.json", { cwd: folder }).toSorted();
const read = (file: string): ExportedHistory => JSON.parse(readFileSync(join(folder, file), "utf8")) as ExportedHistory;

it.each(files)("%s is replayed by either code, from every place where a worker may have died (I14)", async (file) => {
  for (const load of [loadRowByRow, loadInBatches]) {
    const { status } = await replayHistory(pipelineWith(load), read(file), { prefixes: true });
    expect(file).toContain(`/${status}`);
  }
});

it("refuses a renamed activity, so that a test tells before a deployment does", async () => {
  const renamed = pipelineWith({ ...loadInBatches, name: "store" });
  await expect(replayHistory(renamed, read("v0.1/open-loading.json"))).rejects.toMatchObject({ code: "determinism" });
});

it("has a history that both versions have written", () => {
  expect(files).toContain("v0.1/completed-by-both.json");
});
