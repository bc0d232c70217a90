import { type Millis, PURGE_AGE_MS, type PurgeRequest, type PurgeResult } from "@perdure/core/storage";
import { readHead } from "../change-run.ts";
import type { Head, OwnedEntry } from "../documents.ts";
import type { Known } from "../heads.ts";
import { HEAD } from "../ids.ts";
import { LIMITS } from "../info.ts";
import type { Partition } from "../partition.ts";
import type { Store } from "../store.ts";
import { horizonOf } from "../times.ts";
import { forgetPromise } from "./cache.ts";
import { inParallel } from "./each-run.ts";

const AT_ONCE = 16;
/** What one batch deletes, with the head. */
const SMALL = 99;
/** So many more runs are looked at than are wanted: children of open parents stay. */
const SPARE = 100;

/** `purgeRuns`: oldest first. It also finishes what an earlier purge has begun and not ended. */
export async function purgeRuns(store: Store, request: PurgeRequest): Promise<PurgeResult> {
  const now = store.now();
  const limit = Math.min(request.limit, LIMITS.purgeRuns);
  await finishAll(store);
  let purged = 0;
  let after: Head | undefined;
  for (;;) {
    const found = await candidates(store, request, now, after);
    const doomed: Known[] = [];
    const isDone = await collect(store, found.runs, request, now, limit - purged, doomed);
    const results = await purgeAll(store, doomed);
    purged += results;
    if (isDone === "more") return { purged, more: true };
    after = found.runs.at(-1);
    if (!found.isMore || after === undefined) return { purged, more: false };
  }
}

/** Those of a page that may be purged, up to a limit. `more`: there is another one. */
async function collect(
  store: Store,
  runs: readonly Head[],
  request: PurgeRequest,
  now: Millis,
  limit: number,
  doomed: Known[],
): Promise<"all" | "more"> {
  for (const { runId } of runs) {
    const known = await readHead(store, store.run(runId));
    if (known === undefined || !(await isPurgeable(store, known.head, request, now))) continue;
    if (doomed.length === limit) return "more";
    doomed.push(known);
  }
  return "all";
}

interface Found {
  readonly runs: readonly Head[];
  readonly isMore: boolean;
}

async function candidates(
  store: Store,
  { closedBefore, minAgeMs = PURGE_AGE_MS, runIds, status, limit }: PurgeRequest,
  now: Millis,
  after: Head | undefined,
): Promise<Found> {
  if (runIds !== undefined) {
    const heads: Head[] = [];
    for (const runId of new Set(runIds)) {
      const known = await readHead(store, store.run(runId));
      if (known !== undefined) heads.push(known.head);
    }
    return { runs: heads, isMore: false };
  }
  if (status?.length === 0) return { runs: [], isMore: false };
  const most = limit + SPARE;
  const values: Record<string, unknown> = {
    ns: store.namespace,
    most,
    before: closedBefore,
    until: horizonOf(now) - minAgeMs,
    from: after?.closedAt ?? 0,
  };
  for (const [at, one] of (status ?? []).entries()) values[`status${at}`] = one;
  const ofStatus = status === undefined ? "" : ` AND c.status IN (${status.map((_, at) => `@status${at}`).join(", ")})`;
  const runs = await store.query<Head>(
    "SELECT TOP @most * FROM c WHERE c.ns = @ns AND c.t = 'head' AND NOT IS_DEFINED(c.live) AND c.closedAt < @before AND c.closedAt <= @until " +
      `AND c.closedAt >= @from${ofStatus} ORDER BY c.ns ASC, c.closedAt ASC`,
    values,
  );
  // Where all of a page were closed in one moment, the next one would begin with the same ones.
  return { runs, isMore: runs.length === most && runs.at(-1)?.closedAt !== after?.closedAt };
}

async function isPurgeable(store: Store, head: Head, request: PurgeRequest, now: Millis): Promise<boolean> {
  const { closedBefore, minAgeMs = PURGE_AGE_MS, status } = request;
  const { closedAt, parent } = head;
  if (head.live !== undefined || head.status === "open" || closedAt === null) return false;
  if (closedAt >= closedBefore || closedAt > horizonOf(now) - minAgeMs) return false;
  if (status !== undefined && !status.includes(head.status)) return false;
  if (parent === null) return true;
  const found = await readHead(store, store.run(parent.runId));
  return found?.head.incarnation !== parent.incarnation || found.head.status !== "open";
}

async function purgeAll(store: Store, doomed: readonly Known[]): Promise<number> {
  let purged = 0;
  await inParallel(doomed, AT_ONCE, async (known) => {
    const partition = store.partition(known.head.pk);
    if (await store.lines.inLine(partition.key, () => purgeRun(store, partition, known))) purged += 1;
  });
  return purged;
}

/** In one batch, if that takes all; else the run is gone first, and then its documents. */
async function purgeRun(store: Store, partition: Partition, { head, etag }: Known): Promise<boolean> {
  await forgetPromises(store, partition);
  const ids = await others(partition);
  store.heads.delete(partition.key);
  if (ids.length <= SMALL) {
    const deletes = ids.map((id) => ({ operationType: "Delete", id }) as const);
    const all = await partition.write([{ operationType: "Delete", id: HEAD, ifMatch: etag }, ...deletes], []);
    if (all.status === "done") return true;
    if (all.at === 0) return false;
  }
  const gone: Head = { ...head, t: "gone" };
  const marked = await partition.write([{ operationType: "Replace", id: HEAD, resourceBody: gone, ifMatch: etag }], []);
  if (marked.status === "refused") return false;
  await finishPurge(store, partition);
  return true;
}

/** Deletes what is left of a run that is gone: its head last, as long as which nobody can take its id. */
export async function finishPurge(store: Store, partition: Partition): Promise<void> {
  const found = await partition.read<Head>(HEAD);
  if (found?.document.t !== "gone") return;
  await forgetPromises(store, partition);
  await partition.deleteAll(await others(partition));
  await partition.write([{ operationType: "Delete", id: HEAD, ifMatch: found.etag }], []);
}

async function finishAll(store: Store): Promise<void> {
  const gone = await store.query<Head>("SELECT * FROM c WHERE c.ns = @ns AND c.t = 'gone'", { ns: store.namespace });
  for (const { pk } of gone) await finishPurge(store, store.partition(pk));
}

function others(partition: Partition): Promise<readonly string[]> {
  return partition.query<string>("SELECT VALUE c.id FROM c WHERE c.id != @head", { head: HEAD });
}

/** Cache entries that belong to the run, unless somebody else has written their keys since. */
async function forgetPromises(store: Store, partition: Partition): Promise<void> {
  const entries = await partition.query<OwnedEntry>("SELECT * FROM c WHERE c.t = 'entry' AND c.isDead = false", {});
  for (const { id, key } of entries) await forgetPromise(store, key, { partition: partition.key, id });
}
