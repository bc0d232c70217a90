import type { RedisOptions } from "@perdure/storage-redis";
import { Cluster, Redis } from "ioredis";
import type { BackendUnderTest } from "../src/subject.ts";
import { caseOf } from "./case-of.ts";
import { isAlive, storeName } from "./process-store.ts";

/** Where clients connect. */
type Place = Pick<RedisOptions, "url" | "nodes">;

/** What all keys of a process begin with. Child processes find it in their environment. */
const STORES = storeName();

/** How far the store's clock is ahead, by case. */
const offsets = new Map<string, number>();

/** Each case has a store of its own: all keys of it begin like this. */
function prefixOf(namespace: string): string {
  return `${STORES}:${caseOf(namespace)}:`;
}

/** What a client of a namespace is opened with, beside where it connects. */
export function redisOptions(namespace: string): RedisOptions {
  return { prefix: prefixOf(namespace), namespace, clock: () => offsets.get(caseOf(namespace)) ?? 0 };
}

/** What concerns the store underneath: the keys in the server or Cluster that tests use. */
export function redisStore(place: Place): Omit<BackendUnderTest, "name" | "open"> {
  return {
    version: () =>
      withMasters(place, async ([first]) => `Redis ${/redis_version:(\S+)/u.exec(await first!.info("server"))![1]}`),
    advance(namespace, ms) {
      offsets.set(caseOf(namespace), (offsets.get(caseOf(namespace)) ?? 0) + ms);
    },
    forgetCaches: () =>
      withMasters(place, async (masters) => void (await Promise.all(masters.map((master) => master.script("FLUSH"))))),
    residue: (namespace, runId) =>
      withMasters(place, async (masters) => {
        let records = 0;
        for await (const [master, keys] of keysOf(masters, `${prefixOf(namespace)}{${namespace}:*`)) {
          for (const key of keys) records += await mentions(master, key, runId);
        }
        return records;
      }),
    destroy: (namespace) =>
      withMasters(place, async (masters) => {
        offsets.delete(caseOf(namespace));
        await remove(masters, `${prefixOf(namespace)}*`);
      }),
    end: () => withMasters(place, (masters) => remove(masters, `${STORES}:*`)),
  };
}

/** Removes what the cases of processes have left that were killed. */
export async function removeLeftovers(place: Place): Promise<void> {
  await withMasters(place, (masters) =>
    remove(masters, "perdure_conformance_*", (key) => !isAlive(key.split(":", 1)[0]!)),
  );
}

async function remove(
  masters: readonly Redis[],
  pattern: string,
  which: (key: string) => boolean = () => true,
): Promise<void> {
  for await (const [master, keys] of keysOf(masters, pattern)) {
    // One after the other: in a Cluster they lie in many slots.
    await Promise.all(keys.filter(which).map((key) => master.unlink(key)));
  }
}

async function* keysOf(masters: readonly Redis[], match: string): AsyncGenerator<readonly [Redis, readonly string[]]> {
  for (const master of masters)
    for await (const keys of master.scanStream({ match, count: 1_000 })) yield [master, keys as string[]];
}

/** How many records a key holds of a run: itself if it is named after the run, else each member, field or value that is. */
async function mentions(master: Redis, key: string, runId: string): Promise<number> {
  if (key.includes(runId)) return 1;
  const read: Record<string, () => Promise<readonly (string | null)[]>> = {
    string: async () => [await master.get(key)],
    hash: async () => Object.entries(await master.hgetall(key)).map((entry) => entry.join(" ")),
    list: () => master.lrange(key, "0", "-1"),
    set: () => master.smembers(key),
    zset: () => master.zrange(key, "0", "-1"),
    none: async () => [],
  };
  const records = await read[await master.type(key)]!();
  return records.filter((record) => record?.includes(runId)).length;
}

/** Works with the masters themselves. */
async function withMasters<T>(place: Place, use: (masters: readonly Redis[]) => Promise<T>): Promise<T> {
  const client = place.url === undefined ? new Cluster([...place.nodes!]) : new Redis(place.url);
  try {
    await client.ping();
    return await use("nodes" in client ? client.nodes("master") : [client]);
  } finally {
    client.disconnect();
  }
}
