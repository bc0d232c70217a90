import type { ConformanceCase } from "../../case.ts";
import { playScripts } from "../../model/concurrent.ts";
import { scripts } from "../../model/scripts.ts";
import { search } from "../../model/search.ts";

export const concurrentCase: ConformanceCase = {
  id: "model.concurrent",
  level: "L5",
  invariants: ["I1", "I3", "I4", "I6", "I7", "I8", "I15", "I18"],
  why: "Two calls at the same time must come out as one after the other; and one whose answer was lost as done, or as never made.",
  hint: "The numbers before the calls say when each began and ended. Is what a call decides read in the same write, or under the same lock?",
  timeoutMs: 4 * 3_600_000,
  async run(t) {
    const { durability } = t.info.capabilities;
    const sequences = t.chances.runs ?? (t.full ? 10_000 : durability === "memory" ? 500 : 50);
    await search(t, {
      caseId: "model.concurrent",
      inputs: scripts,
      runs: Math.ceil(sequences / 2),
      repeatable: false,
      play: playScripts,
    });
  },
};
