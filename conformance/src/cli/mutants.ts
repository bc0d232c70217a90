import { existsSync } from "node:fs";
import type { ConformanceReport, MutantReport } from "../report.ts";
import { runConformance } from "../runner.ts";
import { findSubject } from "./find-subject.ts";
import { table } from "../reporters/table.ts";

interface MutantOutcome extends MutantReport {
  readonly breaks: string;
  readonly missedBy: readonly string[];
}

/**
 * The memory backend as it is and in every broken form, in one report.
 * @throws Error with one sentence where there are no mutants: a published suite has none.
 */
export async function runMutants(print: (line: string) => void): Promise<ConformanceReport> {
  const module = new URL("../../mutants/index.ts", import.meta.url);
  if (!existsSync(module)) {
    throw new Error("The mutants are only in the repository of Perdure: npm run conformance -- mutants.");
  }
  const { runAllMutants } = (await import(module.href)) as { runAllMutants: () => Promise<readonly MutantOutcome[]> };
  const outcomes = await runAllMutants();
  print(
    table([["mutant", "killed by", "what is broken"], ...outcomes.map((one) => [one.name, verdict(one), one.breaks])]),
  );
  const plain = await runConformance(await findSubject("memory"), { levels: ["L1", "L2", "L3", "L5"] });
  return { ...plain, mutants: outcomes.map(({ name, killedBy }) => ({ name, killedBy })) };
}

function verdict({ killedBy, missedBy }: MutantOutcome): string {
  return killedBy ?? `SURVIVED ${missedBy.join(", ")}`;
}
