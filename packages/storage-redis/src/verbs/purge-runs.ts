import { PURGE_AGE_MS, type ParentLink, type PurgeRequest, type PurgeResult } from "@perdure/core/storage";
import { indexesOf, parseHeader, type StoredHeader } from "../header.ts";
import { LIMITS } from "../info.ts";
import { listOf, textOf } from "../reply.ts";
import { SCRIPTS } from "../scripts.ts";
import { allDone, type Argument, inShards, shardOf } from "../shards.ts";
import type { Store } from "../store.ts";

/** How many candidates are looked at in one script. */
const PIECE = 500;

interface Candidate {
  readonly runId: string;
  readonly incarnation: string;
  readonly header: StoredHeader;
  readonly cacheKeys: readonly string[];
}

interface Found {
  readonly candidates: readonly Candidate[];
  /** The last that was looked at, and its time; null when there are no more. */
  readonly last: readonly string[] | null;
}

/**
 * `purgeRuns`: finds runs that are done and whose parents are not open, and then deletes them: what was true of them stays true. Each is deleted
 * atomically, but for cache entries in other shards, which go first.
 */
export async function purgeRuns(store: Store, request: PurgeRequest): Promise<PurgeResult> {
  const limit = Math.min(request.limit, LIMITS.purgeRuns);
  // A run may be found twice.
  const doomed = new Map<string, Candidate>();
  for await (const candidates of find(store, request)) {
    const areOrphans = await areParentsGone(store, candidates);
    for (const [i, candidate] of candidates.entries()) if (areOrphans[i]) doomed.set(candidate.runId, candidate);
    if (doomed.size > limit) break;
  }
  const purged = await deleteAll(store, [...doomed.values()].slice(0, limit));
  return { purged, more: doomed.size > limit };
}

async function* find(store: Store, request: PurgeRequest): AsyncGenerator<readonly Candidate[]> {
  const { closedBefore, minAgeMs = PURGE_AGE_MS, status = ["completed", "failed", "cancelled"], runIds } = request;
  const conditions = [closedBefore, minAgeMs, status];
  const named = runIds && Map.groupBy(new Set(runIds), (runId) => shardOf(runId, store.shards));
  for (let shard = 0; shard < store.shards; shard++) {
    if (named !== undefined) {
      const ids = named.get(shard) ?? [];
      for (let from = 0; from < ids.length; from += PIECE) {
        const piece = ids.slice(from, from + PIECE);
        yield (await findIn(store, shard, [...conditions, piece, 0, null])).candidates;
      }
      continue;
    }
    let after: readonly string[] | null = null;
    do {
      const found: Found = await findIn(store, shard, [...conditions, null, PIECE, after]);
      yield found.candidates;
      after = found.last;
    } while (after !== null);
  }
}

async function findIn(store: Store, shard: number, args: readonly Argument[]): Promise<Found> {
  const [now, last, ...runs] = await store.run(SCRIPTS.findClosed, shard, args);
  store.noted(now);
  const candidates = runs.map((reply) => {
    const [runId, incarnation, header, cacheKeys] = listOf(reply);
    return {
      runId: textOf(runId),
      incarnation: textOf(incarnation),
      header: parseHeader(textOf(header)),
      cacheKeys: listOf(cacheKeys).map(textOf),
    };
  });
  return { candidates, last: last === "" ? null : listOf(last).map(textOf) };
}

/** Says of each candidate whether its parent, this incarnation of it, is gone or closed. */
function areParentsGone(store: Store, candidates: readonly Candidate[]): Promise<boolean[]> {
  return allDone(candidates.map(({ header }) => isGoneOrClosed(store, header.parent)));
}

async function isGoneOrClosed(store: Store, parent: ParentLink | null): Promise<boolean> {
  if (parent === null) return true;
  const { runId, incarnation } = parent;
  const key = store.key(shardOf(runId, store.shards), `r:${runId}`);
  const [found, status] = await store.connection.send((client) => client.hmget(key, "n", "t"));
  return found !== incarnation || status !== "open";
}

async function deleteAll(store: Store, doomed: readonly Candidate[]): Promise<number> {
  const elsewhere = doomed.flatMap(({ runId, incarnation, cacheKeys }) =>
    cacheKeys
      .filter((key) => shardOf(key, store.shards) !== shardOf(runId, store.shards))
      .map((key) => ({ key, owner: `${incarnation}:${runId}` })),
  );
  await inShards(
    elsewhere,
    ({ key }) => shardOf(key, store.shards),
    ({ key, owner }) => [owner, key],
    (shard, encoded) => store.run(SCRIPTS.forgetCache, shard, [], encoded),
  );
  const answers = await inShards(
    doomed,
    ({ runId }) => shardOf(runId, store.shards),
    ({ runId, incarnation, header }) => [runId, incarnation, indexesOf(header)],
    (shard, encoded) => store.run(SCRIPTS.purge, shard, [], encoded),
  );
  return answers.filter((answer) => answer === "1").length;
}
