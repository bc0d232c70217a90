import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type ExportedHistory, replayHistory } from "@perdure/core/testing";
import { expect, it } from "vitest";
import { order } from "../src/order.ts";

const folder = join(import.meta.dirname, "..", "histories");
const files = globSync("v*/*.json", { cwd: folder }).toSorted();

it.each(files)("%s is replayed by today's code, from every place where a worker may have died (I14)", async (file) => {
  const exported = JSON.parse(readFileSync(join(folder, file), "utf8")) as ExportedHistory;
  const { status } = await replayHistory(order, exported, { prefixes: true });
  expect(file).toContain(`/${status}`);
});

it("has a history of every outcome", () => {
  const outcomes = ["cancelled-asleep", "completed", "failed-declined", "open-asleep"];
  expect(files).toEqual(expect.arrayContaining(outcomes.map((outcome) => `v0.1/${outcome}.json`)));
});
