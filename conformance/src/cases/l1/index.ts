import type { ConformanceCase } from "../../case.ts";
import { activityCases } from "./activity.ts";
import { cacheCases } from "./cache.ts";
import { claimByIdCases } from "./claim-by-id.ts";
import { claimOrderCases } from "./claim-order.ts";
import { claimTimeCases } from "./claim-time.ts";
import { claimCases } from "./claim.ts";
import { commitCases } from "./commit.ts";
import { createCases } from "./create.ts";
import { dedupeCases } from "./dedupe.ts";
import { eventsCases } from "./events.ts";
import { hintCases } from "./hints.ts";
import { idsCases } from "./ids.ts";
import { inboxCases } from "./inbox.ts";
import { leaseCases } from "./lease.ts";
import { listFilterCases } from "./list-filters.ts";
import { listCases } from "./list.ts";
import { namespaceCases } from "./namespace.ts";
import { neighbourCases } from "./neighbours.ts";
import { nextStepCases } from "./next-step.ts";
import { payloadCopyCases } from "./payload-copies.ts";
import { payloadCases } from "./payload.ts";
import { purgeSelectionCases } from "./purge-selection.ts";
import { purgeCases } from "./purge.ts";
import { refusalCases } from "./refusal.ts";
import { setupCases } from "./setup.ts";
import { statsCases } from "./stats.ts";
import { timerCases } from "./timer.ts";
import { txCases } from "./tx.ts";
import { wakeCases } from "./wake.ts";

/** The contract: every verb alone. */
export const L1: readonly ConformanceCase[] = [
  ...setupCases,
  ...createCases,
  ...eventsCases,
  ...claimCases,
  ...claimOrderCases,
  ...claimTimeCases,
  ...claimByIdCases,
  ...leaseCases,
  ...commitCases,
  ...nextStepCases,
  ...activityCases,
  ...neighbourCases,
  ...refusalCases,
  ...inboxCases,
  ...dedupeCases,
  ...wakeCases,
  ...timerCases,
  ...listCases,
  ...listFilterCases,
  ...statsCases,
  ...cacheCases,
  ...payloadCases,
  ...payloadCopyCases,
  ...idsCases,
  ...namespaceCases,
  ...purgeCases,
  ...purgeSelectionCases,
  ...hintCases,
  ...txCases,
];
