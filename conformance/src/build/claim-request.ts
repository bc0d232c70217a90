import type { ClaimRequest } from "@perdure/core/storage";

/** What a worker for workflow `order` and activity `charge` on queue `main` asks for. */
export function claimRequest(
  overrides: Pick<ClaimRequest, "workerId" | "workerInstance" | "holding"> & Partial<ClaimRequest>,
): ClaimRequest {
  return {
    queues: ["main"],
    kinds: ["workflow", "activity"],
    handlers: { workflows: ["order"], activities: ["charge"] },
    limit: 10,
    leaseMs: 60_000,
    inlineEvents: 16,
    overdue: false,
    ...overrides,
  };
}
