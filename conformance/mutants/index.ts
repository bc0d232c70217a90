import { activityMutants } from "./activities.ts";
import { cacheMutants } from "./caches.ts";
import { claimMutants } from "./claims.ts";
import { clientClockMutants } from "./client-clocks.ts";
import { commitMutants } from "./commits.ts";
import { fenceMutants } from "./fences.ts";
import { inboxMutants } from "./inboxes.ts";
import { longLifeMutants } from "./long-lives.ts";
import { lostClaimMutants } from "./lost-claims.ts";
import type { Mutant } from "./mutant.ts";
import { type MutantOutcome, runMutant } from "./run-mutant.ts";
import { neighbourMutants } from "./neighbours.ts";
import { readMutants } from "./reads.ts";
import { sequenceMutants } from "./sequences.ts";
import { storeMutants } from "./stores.ts";
import { textMutants } from "./texts.ts";
import { transactionMutants } from "./transactions.ts";

/** Every mutant: the test of the tests. A new case comes with the mutant that it kills. */
export const MUTANTS: readonly Mutant[] = [
  ...fenceMutants,
  ...commitMutants,
  ...claimMutants,
  ...lostClaimMutants,
  ...inboxMutants,
  ...readMutants,
  ...textMutants,
  ...activityMutants,
  ...neighbourMutants,
  ...cacheMutants,
  ...storeMutants,
  ...longLifeMutants,
  ...transactionMutants,
  ...sequenceMutants,
  ...clientClockMutants,
];

/** Sets the suite upon all of them. */
export async function runAllMutants(seed = 1): Promise<readonly MutantOutcome[]> {
  const outcomes: MutantOutcome[] = [];
  for (const mutant of MUTANTS) outcomes.push(await runMutant(mutant, seed));
  return outcomes;
}
