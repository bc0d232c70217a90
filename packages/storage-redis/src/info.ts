import { CONTRACT_VERSION, type Capabilities, type StorageInfo, USUAL_LIMITS } from "@perdure/core/storage";

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

export const LIMITS = USUAL_LIMITS;
