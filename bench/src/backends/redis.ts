import { randomBytes } from "node:crypto";
import { redis } from "@perdure/storage-redis";
import { redisFloor } from "../floor/redis.ts";
import { describeRedis, redisUrl, removeKeys, useRedis } from "../server/redis.ts";
import type { Backend } from "./backend.ts";
import { countRedisCommands } from "./redis-command-count.ts";

/** Keys of its own in a server that is named or started. */
export const redisBackend: Backend = {
  name: "redis",
  processes: "many",
  create: async () => {
    await useRedis();
    return `perdure_bench_${randomBytes(6).toString("hex")}:`;
  },
  open: (prefix) => redis({ url: redisUrl(), prefix }),
  remove: removeKeys,
  countStatements: countRedisCommands,
  floor: redisFloor,
  describeServer: describeRedis,
  // It plans nothing.
  settle: null,
};
