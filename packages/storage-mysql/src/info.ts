import { CONTRACT_VERSION, type StorageInfo, USUAL_LIMITS } from "@perdure/core/storage";
import type { Settings } from "./options.ts";

/**
 * What a store in MySQL says about itself. Its largest statement, an insert of one row, must fit a packet even if every character
 * of its payloads has to be escaped.
 */
export function infoOf({ durability, maxAllowedPacket }: Settings): StorageInfo {
  return {
    name: "mysql",
    contract: CONTRACT_VERSION,
    capabilities: {
      clock: { kind: "shared" },
      processes: "many",
      durability,
      wakeups: "push",
      transactions: ["createRuns", "deliver", "commitTasks"],
      listing: "strong",
    },
    limits: {
      ...USUAL_LIMITS,
      payloadBytes: Math.floor((maxAllowedPacket * 3) / 16),
      commitBytes: Math.floor((maxAllowedPacket * 3) / 8),
    },
  };
}
