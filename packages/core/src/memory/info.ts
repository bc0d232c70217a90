import { CONTRACT_VERSION, type StorageInfo, USUAL_LIMITS } from "../storage/info.ts";

/** What the memory backend says about itself. */
export const INFO: StorageInfo = {
  name: "memory",
  contract: CONTRACT_VERSION,
  capabilities: {
    clock: { kind: "shared" },
    processes: "one",
    durability: "memory",
    wakeups: "in-process",
    transactions: ["createRuns", "deliver", "commitTasks"],
    listing: "strong",
  },
  limits: USUAL_LIMITS,
};
