/** Perdure storage in Redis. */
import type { StorageBackend } from "@perdure/core/storage";
import { RedisBackend } from "./backend.ts";
import { type RedisOptions, settingsOf } from "./options.ts";

export type { ClusterAddress, RedisOptions } from "./options.ts";

/**
 * A store in a Redis server or a Redis Cluster, which any number of processes on any number of machines may share. The first use
 * connects; whoever made the storage closes it.
 *
 * @example
 * ```ts
 * const storage = redis("redis://db.example.com");
 * ```
 * @throws UsageError `invalid-argument` for options that cannot be.
 */
export function redis(urlOrOptions: string | RedisOptions = {}): StorageBackend {
  return new RedisBackend(settingsOf(urlOrOptions));
}
