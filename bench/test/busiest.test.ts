import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { expect, it } from "vitest";
import { busiest } from "../src/profile/busiest.ts";

const root = join(import.meta.dirname, "../..");

function frame(functionName: string, url = "", lineNumber = -1) {
  return { functionName, url, lineNumber };
}

it("the busiest functions are those with the most samples of their own, wherever they were called from", () => {
  const file = pathToFileURL(join(root, "packages/core/src/a.ts")).href;
  const nodes = [
    { id: 1, callFrame: frame("(idle)") },
    { id: 2, callFrame: frame("work", file, 41) },
    { id: 3, callFrame: frame("(garbage collector)") },
    { id: 4, callFrame: frame("work", file, 41) },
    { id: 5, callFrame: frame("", "node:internal/timers", 9) },
  ];
  const profile = { nodes, samples: [1, 2, 3, 4, 5], timeDeltas: [9_000, 300, 200, 400, 100] };
  expect(busiest(profile, 3)).toEqual([
    { name: "work", where: "packages/core/src/a.ts:42", ms: 0.7, percent: 70 },
    { name: "(garbage collector)", where: "", ms: 0.2, percent: 20 },
    { name: "(anonymous)", where: "node:internal/timers:10", ms: 0.1, percent: 10 },
  ]);
});
