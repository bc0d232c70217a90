import type { PurgeRequest } from "@perdure/core/storage";
import type { CaseContext } from "../../context.ts";

/** Purges everything that has ended, whatever its age. */
export async function purgeEnded(t: CaseContext, overrides?: Partial<PurgeRequest>): Promise<number> {
  const request = { closedBefore: (await t.time.now()) + 1, minAgeMs: 0, limit: 100, ...overrides };
  return (await t.backend.purgeRuns(request)).purged;
}
