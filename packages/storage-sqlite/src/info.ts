import { CONTRACT_VERSION, type StorageInfo } from "@perdure/core/storage";
import type { Settings } from "./options.ts";

const MIB = 1024 * 1024;

/** What a store in a file, or in memory, says about itself. */
export function infoOf({ path, synchronous }: Settings): StorageInfo {
  const isInMemory = path === ":memory:";
  return {
    name: "sqlite",
    contract: CONTRACT_VERSION,
    capabilities: {
      clock: { kind: "shared" },
      processes: isInMemory ? "one" : "many",
      durability: isInMemory ? "memory" : synchronous === "full" ? "fsync" : "bounded-loss",
      wakeups: isInMemory ? "in-process" : "push",
      transactions: [],
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
}
