import { CONTRACT_VERSION, type StorageInfo } from "@perdure/core/storage";

const MIB = 1024 * 1024;

/** How far the clocks of two clients may be apart: each knows the service's within less than half of it. */
export const CLOCK_ERROR_MS = 500;

/** What a store in Cosmos DB says about itself. */
export const INFO: StorageInfo = {
  name: "cosmos",
  contract: CONTRACT_VERSION,
  capabilities: {
    clock: { kind: "client", errorMs: CLOCK_ERROR_MS },
    processes: "many",
    durability: "replicated",
    wakeups: "in-process",
    transactions: [],
    listing: "eventual",
  },
  limits: {
    payloadBytes: 2 * MIB,
    commitBytes: 8 * MIB,
    eventsPerCommit: 1_000,
    // A commit is one batch of at most 100 operations: head, frame, tasks, and what remains for pages.
    tasksPerCommit: 50,
    batch: 1_000,
    claimTasks: 100,
    eventPage: 1_000,
    purgeRuns: 100,
    dedupeMs: 24 * 3_600_000,
  },
};

export const LIMITS: StorageInfo["limits"] = INFO.limits;
