import { CONTRACT_VERSION, type StorageInfo } from "@perdure/core/storage";

const MIB = 1024 * 1024;

/** What a store in PostgreSQL says about itself. */
export const INFO: StorageInfo = {
  name: "postgres",
  contract: CONTRACT_VERSION,
  capabilities: {
    clock: { kind: "shared" },
    processes: "many",
    durability: "fsync",
    wakeups: "push",
    transactions: ["createRuns", "deliver", "commitTasks"],
    listing: "strong",
  },
  limits: {
    payloadBytes: 16 * MIB,
    commitBytes: 64 * MIB,
    eventsPerCommit: 20_000,
    tasksPerCommit: 10_000,
    batch: 10_000,
    claimTasks: 1_000,
    eventPage: 10_000,
    purgeRuns: 1_000,
    dedupeMs: 24 * 3_600_000,
  },
};
