import { CONTRACT_VERSION, type StorageInfo, USUAL_LIMITS } from "@perdure/core/storage";
import type { Settings } from "./options.ts";

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
    limits: USUAL_LIMITS,
  };
}
