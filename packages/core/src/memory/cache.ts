import type { Millis } from "../model/ids.ts";
import type { CacheEntry, CacheKey, NewCacheEntry, WriteCacheResult } from "../storage/cache.ts";
import type { CacheRecord, RunRecord } from "./records.ts";
import type { Namespace } from "./store.ts";

/** `readCache`: an expired entry counts as absent. */
export function readCacheEntry(space: Namespace, key: CacheKey, now: Millis): CacheEntry | undefined {
  const record = unexpired(space, key, now);
  return record && entryOf(record);
}

/** `writeCache`: fenced like any write when the entry belongs to a claim (I6). */
export function writeCacheEntry(space: Namespace, entry: NewCacheEntry, now: Millis): WriteCacheResult {
  const task = entry.owner && space.tasks.owned(entry.owner);
  if (entry.owner !== undefined && task === undefined) return { status: "lease-lost" };
  const standing = unexpired(space, entry.key, now);
  if (entry.mode === "first" && standing !== undefined) return { status: "kept", entry: entryOf(standing) };
  const { key, value, expiresAt } = entry;
  const owner = task?.run ?? null;
  const record: CacheRecord = { key, value, expiresAt, owner };
  space.cache.set(key, record);
  if (owner !== null) (owner.cacheKeys ??= new Set()).add(key);
  return { status: "written", entry: entryOf(record) };
}

/** Deletes what a run wrote for itself. A key that somebody else has overwritten since is theirs. */
export function deleteCacheOf(space: Namespace, run: RunRecord): void {
  for (const key of run.cacheKeys ?? []) {
    if (space.cache.get(key)?.owner === run) space.cache.delete(key);
  }
}

function unexpired(space: Namespace, key: CacheKey, now: Millis): CacheRecord | undefined {
  const record = space.cache.get(key);
  return record === undefined || (record.expiresAt !== null && record.expiresAt <= now) ? undefined : record;
}

function entryOf({ key, value, expiresAt }: CacheRecord): CacheEntry {
  return { key, value, expiresAt };
}
