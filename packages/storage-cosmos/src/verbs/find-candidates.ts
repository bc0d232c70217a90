import type { Claim, ClaimRequest, Millis } from "@perdure/core/storage";
import type { Activity, Head } from "../documents.ts";
import { laneOf } from "../ids.ts";
import type { Store } from "../store.ts";
import { claimableAt, horizonOf } from "../times.ts";

/** A task as a query has found it. */
export type Candidate = (Head | Activity) & { readonly _etag: string };

export interface Found {
  /** Claimable ones, in the order of claiming. */
  readonly ready: readonly Candidate[];
  /** The first ones that are not yet, in the order of their times. */
  readonly later: readonly Candidate[];
}

/** More than are wanted, since others want them, too. */
const SPARE = 24;

/** What a request could claim, and when there will be more. */
export async function findCandidates(store: Store, request: ClaimRequest, limit: number, now: Millis): Promise<Found> {
  const lanes = lanesOf(request);
  const horizon = horizonOf(now);
  const most = limit + SPARE;
  const selected = [
    ...(lanes.length > 0 ? [`c.lane IN (${lanes.map((_, at) => `@lane${at}`).join(", ")})`] : []),
    ...(request.overdue ? ["c.dueAt <= @horizon"] : []),
  ];
  if (selected.length === 0) return { ready: [], later: [] };
  const values = {
    live: store.namespace,
    most,
    horizon,
    ...Object.fromEntries(lanes.map((lane, at) => [`lane${at}`, lane])),
  };
  const from = `SELECT TOP @most * FROM c WHERE c.live = @live AND (${selected.join(" OR ")})`;
  const first = await store.query<Candidate>(
    `${from} AND c.visibleAt >= 0 ORDER BY c.live ASC, c.visibleAt ASC`,
    values,
  );
  let ready = first.filter(({ visibleAt }) => visibleAt! <= horizon);
  // There may be more ready ones than were asked for: then the first in the order of claiming are to be looked for.
  if (ready.length === most)
    ready = [
      ...(await store.query<Candidate>(`${from} AND c.visibleAt <= @horizon ORDER BY c.live ASC, c.rank ASC`, values)),
    ];
  return {
    ready: ready.toSorted((a, b) => a.rank! - b.rank!),
    later: first.filter(({ visibleAt }) => visibleAt! > horizon),
  };
}

/** Tasks that this start of a worker holds, as far as the store knows. */
export function findHeld(store: Store, { workerInstance }: ClaimRequest): Promise<readonly Candidate[]> {
  const held = "SELECT * FROM c WHERE c.live = @live AND c.holder = @holder";
  return store.query<Candidate>(held, { live: store.namespace, holder: workerInstance });
}

/** When the next run is past its deadline that is not yet, but for those that were just handed out. */
export async function findNextOverdue(
  store: Store,
  now: Millis,
  taken: readonly { readonly claim: Claim }[],
): Promise<Millis | undefined> {
  const partitions = new Set(taken.map(({ claim }) => store.run(claim.runId).key));
  const next =
    "SELECT TOP @most c.pk, c.overdueAt FROM c WHERE c.live = @live AND c.overdueAt > @horizon ORDER BY c.live ASC, c.overdueAt ASC";
  const values = { live: store.namespace, horizon: horizonOf(now), most: taken.length + 1 };
  const found = await store.query<{ readonly pk: string; readonly overdueAt: Millis }>(next, values);
  const first = found.find(({ pk }) => !partitions.has(pk));
  return first && claimableAt(first.overdueAt);
}

/** The lanes that a request selects, each once. */
export function lanesOf({ queues, kinds, handlers }: ClaimRequest): readonly string[] {
  const lanes = new Set<string>();
  for (const kind of kinds) {
    const names = kind === "workflow" ? handlers.workflows : handlers.activities;
    for (const queue of queues) for (const name of names) lanes.add(laneOf(kind, queue, name));
  }
  return [...lanes];
}
