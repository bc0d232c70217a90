import {
  type CacheEntry,
  type CacheKey,
  type NewCacheEntry,
  parseTaskId,
  type WriteCacheResult,
} from "@perdure/core/storage";
import { instantOf, listOf, type Reply, textOf } from "../reply.ts";
import { SCRIPTS } from "../scripts.ts";
import { type Argument, inShards, shardOf } from "../shards.ts";
import type { Store } from "../store.ts";

export function readCache(store: Store, given: readonly CacheKey[]): Promise<readonly (CacheEntry | undefined)[]> {
  const keys = [...given];
  return inShards(
    keys,
    (key) => shardOf(key, store.shards),
    (key) => [key],
    async (shard, encoded) => {
      const [now, ...replies] = await store.run(SCRIPTS.readCache, shard, [], encoded);
      store.noted(now);
      return replies;
    },
  ).then((replies) => replies.map((reply, i) => (reply === null ? undefined : entryOf(keys[i]!, listOf(reply)))));
}

/**
 * `writeCache`: an entry lies in the shard of its key. Where its owner's run lies in another one, the claim is checked there first; a claim that ends
 * between the two writes may still write, but never over what its successor wrote.
 */
export async function writeCache(store: Store, given: readonly NewCacheEntry[]): Promise<readonly WriteCacheResult[]> {
  // One of its own for each place: the same may be given twice.
  const entries = given.map((entry) => ({ ...entry }));
  const isApart = ({ owner, key }: NewCacheEntry): boolean =>
    owner !== undefined && shardOf(owner.runId, store.shards) !== shardOf(key, store.shards);
  const owned = entries.filter(isApart);
  const answers = await write(store, owned, "only");
  const lost = new Set(owned.filter((_, i) => listOf(answers[i])[0] === "lease-lost"));
  const good = entries.filter((entry) => !lost.has(entry));
  const written = await write(store, good, (entry) => (isApart(entry) ? "checked" : "here"));
  const results = new Map(good.map((entry, i) => [entry, resultOf(entry, written[i])]));
  return entries.map((entry) => results.get(entry) ?? { status: "lease-lost" });
}

type Check = "only" | "checked" | "here";

function write(
  store: Store,
  entries: readonly NewCacheEntry[],
  check: "only" | ((entry: NewCacheEntry) => Check),
): Promise<Reply[]> {
  return inShards(
    entries,
    ({ owner, key }) => shardOf(check === "only" && owner !== undefined ? owner.runId : key, store.shards),
    (entry) => encodeEntry(entry, check === "only" ? check : check(entry)),
    async (shard, encoded) => {
      const [now, ...replies] = await store.run(SCRIPTS.writeCache, shard, [], encoded);
      store.noted(now);
      return replies;
    },
  );
}

function encodeEntry({ owner, key, value, expiresAt, mode }: NewCacheEntry, check: Check): readonly Argument[] {
  const address = owner && parseTaskId(owner.taskId);
  const isGood = address?.runId === owner?.runId && address?.incarnation === owner?.incarnation;
  return [
    owner === undefined ? "none" : check,
    owner?.taskId ?? "",
    owner === undefined || !isGood ? 0 : owner.epoch,
    owner?.runId ?? "",
    key,
    value,
    expiresAt ?? "",
    mode,
  ];
}

function resultOf({ key }: NewCacheEntry, reply: Reply | undefined): WriteCacheResult {
  const [status, ...fields] = listOf(reply);
  if (status === "lease-lost") return { status };
  return { status: status as "written" | "kept", entry: entryOf(key, fields) };
}

function entryOf(key: CacheKey, [value, expiresAt]: readonly Reply[]): CacheEntry {
  return { key, value: textOf(value), expiresAt: instantOf(expiresAt) };
}
