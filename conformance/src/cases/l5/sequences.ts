import { check } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { sequences } from "../../model/arbitrary.ts";
import { playSequence } from "../../model/sequence.ts";
import { search } from "../../model/search.ts";

export const sequencesCase: ConformanceCase = {
  id: "model.sequences",
  level: "L5",
  invariants: ["I1", "I2", "I3", "I6", "I7", "I8", "I10", "I11", "I18", "I19", "I20", "I26"],
  why: "What no other case thought of: each verb can be right by itself, and a few of them in a row wrong.",
  hint: "The calls below are the fewest that show it. The model is the memory backend of @perdure/core: its file for the last verb says what should come out.",
  timeoutMs: 4 * 3_600_000,
  async run(t) {
    const { durability, listing } = t.info.capabilities;
    const runs = t.chances.runs ?? (t.full ? 10_000 : durability === "memory" ? 500 : 50);
    await search(t, {
      caseId: "model.sequences",
      inputs: sequences({
        runs: ["a", "b", "c"],
        clients: 2,
        batch: 3,
        maxLength: 60,
        time: t.subject.advance !== undefined,
        listing: listing === "strong",
      }),
      runs,
      repeatable: true,
      play: playSequence,
    });
    const slow = t.counts.get("sequences that were too slow to be judged to their end") ?? 0;
    check(slow * 10 <= runs, "nine of ten sequences of at most sixty operations take less than nine seconds");
  },
};
