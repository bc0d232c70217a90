import { expect, it } from "vitest";
import { MUTANTS } from "../mutants/index.ts";
import { CASES } from "../src/cases/index.ts";
import { runConformance } from "../src/runner.ts";

const CASE = CASES.filter(({ id }) => id === "model.simulation");

it("a simulation that fails says how its seed alone is played again, and fails there with the same words", async () => {
  const mutant = MUTANTS.find(({ name }) => name === "commit-not-fenced")!;
  const play = async (seed: number, runs: number): Promise<string> => {
    const { cases } = await runConformance(mutant.make(), { cases: CASE, seed, runs });
    expect(cases).toMatchObject([{ status: "failed" }]);
    return cases[0]!.message!;
  };
  const message = await play(1, 100);
  const [, seed] = /--seed (\d+) --runs 1\n/u.exec(message)!;
  const again = await play(Number(seed), 1);
  expect(firstLine(again)).toBe(firstLine(message));
  expect(firstLine(again)).toContain("(I6)");
}, 60_000);

function firstLine(text: string): string {
  return text.split("\n", 1)[0]!;
}
