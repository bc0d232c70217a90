import type { ConformanceCase } from "../../case.ts";
import { ambiguousCases } from "./ambiguous.ts";
import { clientClockCases } from "./client-clocks.ts";
import { clockCases } from "./clocks.ts";
import { crowdCacheCases } from "./crowd-cache.ts";
import { crowdCommitCases } from "./crowd-commit.ts";
import { crowdCreateCases } from "./crowd-create.ts";
import { crowdInboxCases } from "./crowd-inbox.ts";
import { crowdReadCases } from "./crowd-read.ts";
import { endedCases } from "./fence-ended.ts";
import { fenceCases } from "./fence.ts";
import { holdingCases } from "./holding.ts";
import { lostReplyCases } from "./lost-replies.ts";
import { momentCases } from "./moments.ts";
import { poisonCases } from "./poison.ts";
import { sharingCases } from "./sharing.ts";
import { takeoverCases } from "./takeover.ts";

/** Claiming: many clients, leases, fences, lost answers. */
export const L3: readonly ConformanceCase[] = [
  ...sharingCases,
  ...takeoverCases,
  ...holdingCases,
  ...poisonCases,
  ...fenceCases,
  ...endedCases,
  ...ambiguousCases,
  ...lostReplyCases,
  ...momentCases,
  ...crowdCreateCases,
  ...crowdInboxCases,
  ...crowdCacheCases,
  ...crowdCommitCases,
  ...crowdReadCases,
  ...clockCases,
  ...clientClockCases,
];
