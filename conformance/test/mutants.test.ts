import { describe, expect, it } from "vitest";
import { clockedMemory } from "../mutants/clocked-memory.ts";
import { MUTANTS } from "../mutants/index.ts";
import { runMutant } from "../mutants/run-mutant.ts";
import { CASES } from "../src/cases/index.ts";
import { runCase } from "../src/run-case.ts";
import memory from "../backends/memory.ts";

describe("every mutant is killed by each case that is expected to", () => {
  // What loses a wake-up is seen by waiting in vain.
  it.each(MUTANTS)("$name: $breaks", { timeout: 60_000 }, async (mutant) => {
    expect(await runMutant(mutant)).toMatchObject({ killedBy: mutant.killedBy[0], missedBy: [] });
  });
});

describe("the test of the tests", () => {
  it("has at least 30 mutants, each with a name of its own", () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
    expect(MUTANTS.length).toBeGreaterThanOrEqual(30);
  });

  it(
    "kills nobody who is well: a memory backend passes every case that kills a mutant",
    { timeout: 60_000 },
    async () => {
      const killers = new Set(MUTANTS.flatMap(({ killedBy }) => killedBy));
      for (const one of CASES.filter(({ id }) => killers.has(id))) {
        const subject = [one.requires].flat().includes("client-clock") ? clockedMemory() : memory;
        expect((await runCase(subject, one, { seed: 1, runs: 20 })).report).toMatchObject({
          id: one.id,
          status: "passed",
        });
      }
    },
  );
});
