import { CASES } from "../src/cases/index.ts";
import { ConformanceFailure } from "../src/failure.ts";
import type { MutantReport } from "../src/report.ts";
import { runCase } from "../src/run-case.ts";
import type { Mutant } from "./mutant.ts";

export interface MutantOutcome extends MutantReport {
  readonly breaks: string;
  /** Cases that were expected to fail it, and did not. */
  readonly missedBy: readonly string[];
}

/** Runs a mutant against the cases that are expected to fail it. Each of them must, by a broken promise or a refused call. */
export async function runMutant(mutant: Mutant, seed = 1): Promise<MutantOutcome> {
  const { name, breaks, killedBy } = mutant;
  const missedBy: string[] = [];
  for (const id of killedBy) {
    const one = CASES.find((candidate) => candidate.id === id);
    if (one === undefined) throw new ConformanceFailure(`mutant ${name} names the case ${id}, which exists`);
    const { report } = await runCase(mutant.make(), one, { seed, timeoutMs: 10_000 });
    if (report.status !== "failed") missedBy.push(id);
  }
  return { name, breaks, killedBy: missedBy.length === 0 ? killedBy[0] : null, missedBy };
}
