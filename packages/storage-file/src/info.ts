import { CONTRACT_VERSION, type Limits, type StorageInfo } from "@perdure/core/storage";
import type { Settings } from "./options.ts";

const MIB = 1024 * 1024;

export const LIMITS: Limits = {
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

/** What a store in a folder says about itself. */
export function infoOf({ synchronous }: Pick<Settings, "synchronous">): StorageInfo {
  return {
    name: "file",
    contract: CONTRACT_VERSION,
    capabilities: {
      clock: { kind: "shared" },
      processes: "many",
      durability: synchronous === "full" ? "fsync" : "bounded-loss",
      wakeups: "push",
      transactions: [],
      listing: "strong",
    },
    limits: LIMITS,
  };
}
