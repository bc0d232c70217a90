import {
  compareBytes,
  decodeCursor,
  encodeCursor,
  type Page,
  type RunQuery,
  type RunStatus,
  type RunSummary,
} from "@perdure/core/storage";
import { attributeIndexesOf } from "../header.ts";
import { listOf, textOf } from "../reply.ts";
import { SCRIPTS } from "../scripts.ts";
import { allDone, type Argument } from "../shards.ts";
import type { Store } from "../store.ts";
import { summaryOf } from "./run-fields.ts";

const STATUSES: readonly RunStatus[] = ["open", "completed", "failed", "cancelled"];

/** How many members of an index one script looks at. */
const BUDGET = 1_000;

/** `listRuns`: reads one run more than the page holds, to know whether there is a next one; of each shard, as all may be in one. */
export async function listRuns(store: Store, query: RunQuery): Promise<Page<RunSummary>> {
  const { limit } = query;
  if (query.status?.length === 0) return { items: [], cursor: null };
  const bounds = boundsOf(query);
  const asked = encodeQuery(query);
  const shards = Array.from({ length: store.shards }, (_, shard) => shard);
  const found = await allDone(shards.map((shard) => pageOf(store, shard, limit + 1, bounds, asked)));
  const runs = found.flat().toSorted((a, b) => compareBytes(b.member, a.member));
  const items = runs.slice(0, limit).map(({ run }) => run);
  const last = items.at(-1);
  return { items, cursor: runs.length > limit && last !== undefined ? encodeCursor(last) : null };
}

interface Found {
  readonly member: string;
  readonly run: RunSummary;
}

async function pageOf(
  store: Store,
  shard: number,
  limit: number,
  { newest, oldest }: ReturnType<typeof boundsOf>,
  asked: readonly Argument[],
): Promise<Found[]> {
  const found: Found[] = [];
  let from = newest;
  while (from !== "" && found.length < limit) {
    // Each goes on where the one before has ended.
    const [next, ...runs] = await store.run(SCRIPTS.list, shard, [
      limit - found.length,
      BUDGET,
      from,
      oldest,
      ...asked,
    ]);
    for (const reply of runs) {
      const [member, fields] = listOf(reply);
      found.push({ member: textOf(member), run: summaryOf(textOf(member).slice(15), listOf(fields)) });
    }
    from = next === "" ? "" : `(${textOf(next)}`;
  }
  return found;
}

/** Members of indexes: createdAt in 15 digits, then the run id. `:` comes after all digits. */
function boundsOf(query: RunQuery): { readonly newest: string; readonly oldest: string } {
  const { createdAfter, createdBefore, cursor } = query;
  let newest = createdBefore === undefined ? undefined : `(${digits(createdBefore)}`;
  if (cursor !== undefined) {
    const { createdAt, runId } = decodeCursor(cursor);
    const after = `(${digits(createdAt)}${runId}`;
    if (newest === undefined || compareBytes(after, newest) < 0) newest = after;
  }
  return { newest: newest ?? "+", oldest: createdAfter === undefined ? "-" : `[${digits(createdAfter)}` };
}

function digits(at: number): string {
  return String(at).padStart(15, "0");
}

function encodeQuery({ status, workflow, queue, parentRunId, attributes, blocked }: RunQuery): Argument[] {
  const statuses = status === undefined ? STATUSES : [...new Set(status)];
  const filters = [
    ...(workflow === undefined ? [] : [`w:${workflow}`]),
    ...(queue === undefined ? [] : [`q:${queue}`]),
    ...(parentRunId === undefined ? [] : [`p:${parentRunId}`]),
    ...attributeIndexesOf(attributes ?? {}),
  ];
  return [statuses, filters, blocked ?? null];
}
