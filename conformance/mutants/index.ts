import { cacheMutants } from "./caches.ts";
import { claimMutants } from "./claims.ts";
import { commitMutants } from "./commits.ts";
import { fenceMutants } from "./fences.ts";
import { inboxMutants } from "./inboxes.ts";
import type { Mutant } from "./mutant.ts";
import { readMutants } from "./reads.ts";
import { storeMutants } from "./stores.ts";
import { textMutants } from "./texts.ts";

/** Every mutant: the test of the tests. A new case comes with the mutant that it kills. */
export const MUTANTS: readonly Mutant[] = [
  ...fenceMutants,
  ...commitMutants,
  ...claimMutants,
  ...inboxMutants,
  ...readMutants,
  ...textMutants,
  ...cacheMutants,
  ...storeMutants,
];
