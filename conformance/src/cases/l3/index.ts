import type { ConformanceCase } from "../../case.ts";
import { ambiguousCases } from "./ambiguous.ts";
import { clockCases } from "./clocks.ts";
import { crowdCases } from "./crowd.ts";
import { endedCases } from "./fence-ended.ts";
import { fenceCases } from "./fence.ts";
import { holdingCases } from "./holding.ts";
import { momentCases } from "./moments.ts";
import { poisonCases } from "./poison.ts";
import { sharingCases } from "./sharing.ts";

/** Claiming: many clients, leases, fences, lost answers. */
export const L3: readonly ConformanceCase[] = [
  ...sharingCases,
  ...holdingCases,
  ...poisonCases,
  ...fenceCases,
  ...endedCases,
  ...ambiguousCases,
  ...momentCases,
  ...crowdCases,
  ...clockCases,
];
