import { CONTRACT_VERSION, type Capabilities, type StorageInfo } from "@perdure/core/storage";

const MIB = 1024 * 1024;

/** What a store in Redis says about itself, once it is known what the server keeps. */
export function infoOf(durability: Capabilities["durability"]): StorageInfo {
  return {
    name: "redis",
    contract: CONTRACT_VERSION,
    capabilities: {
      clock: { kind: "shared" },
      processes: "many",
      durability,
      wakeups: "push",
      transactions: [],
      listing: "strong",
    },
    limits: LIMITS,
  };
}

export const LIMITS: StorageInfo["limits"] = {
  payloadBytes: 16 * MIB,
  commitBytes: 64 * MIB,
  eventsPerCommit: 20_000,
  tasksPerCommit: 10_000,
  batch: 10_000,
  claimTasks: 1_000,
  eventPage: 10_000,
  purgeRuns: 1_000,
  dedupeMs: 24 * 3_600_000,
};
