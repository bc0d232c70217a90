import { CONTRACT_VERSION, type StorageInfo, USUAL_LIMITS } from "@perdure/core/storage";

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
  limits: USUAL_LIMITS,
};
