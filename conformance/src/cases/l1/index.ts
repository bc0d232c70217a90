import type { ConformanceCase } from "../../case.ts";
import { cacheCases } from "./cache.ts";
import { claimCases } from "./claim.ts";
import { commitCases } from "./commit.ts";
import { createCases } from "./create.ts";
import { eventsCases } from "./events.ts";
import { hintCases } from "./hints.ts";
import { idsCases } from "./ids.ts";
import { inboxCases } from "./inbox.ts";
import { leaseCases } from "./lease.ts";
import { listCases } from "./list.ts";
import { namespaceCases } from "./namespace.ts";
import { payloadCases } from "./payload.ts";
import { purgeCases } from "./purge.ts";
import { refusalCases } from "./refusal.ts";
import { setupCases } from "./setup.ts";
import { statsCases } from "./stats.ts";
import { timerCases } from "./timer.ts";

/** The contract: every verb alone. */
export const L1: readonly ConformanceCase[] = [
  ...setupCases,
  ...createCases,
  ...eventsCases,
  ...claimCases,
  ...leaseCases,
  ...commitCases,
  ...refusalCases,
  ...inboxCases,
  ...timerCases,
  ...listCases,
  ...statsCases,
  ...cacheCases,
  ...payloadCases,
  ...idsCases,
  ...namespaceCases,
  ...purgeCases,
  ...hintCases,
];
