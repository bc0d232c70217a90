import { setTimeout as sleep } from "node:timers/promises";
import { type Millis, StorageError } from "@perdure/core/storage";
import type { Done } from "./connection.ts";
import type { Document, Head } from "./documents.ts";
import type { Known } from "./heads.ts";
import { HEAD } from "./ids.ts";
import type { Partition } from "./partition.ts";
import { RunWork } from "./run-work.ts";
import type { Store } from "./store.ts";

/** How often a write is tried again because somebody else was quicker. */
const RACES = 200;
const PAUSE_MS = { first: 2, most: 200 } as const;

export interface ChangeOptions {
  /** Decides by what the store has now, not by what this client has last seen. */
  readonly isFresh?: boolean;
  /** The head as a query has found it, which may be old. */
  readonly candidate?: Known;
}

/** What was read in the batch that wrote, by id; what was not is to be read. */
export type Along = ReadonlyMap<string, Document>;

/**
 * Has something decided and written about a run, as often as it takes until nobody else was quicker.
 * @param decide draws up what to write; of what it changes nothing is kept if it is asked again. Undefined: there is no such run. It learns which
 * ids turned out to be taken.
 */
export function changeRun<T>(
  store: Store,
  runId: string,
  now: Millis,
  decide: (work: RunWork | undefined, taken: ReadonlySet<string>) => Promise<T>,
  options: ChangeOptions = {},
): Promise<{ readonly answer: T; readonly along: Along }> {
  const partition = store.run(runId);
  return store.lines.inLine(partition.key, () => change(store, partition, now, decide, options));
}

async function change<T>(
  store: Store,
  partition: Partition,
  now: Millis,
  decide: (work: RunWork | undefined, taken: ReadonlySet<string>) => Promise<T>,
  { isFresh = false, candidate }: ChangeOptions,
): Promise<{ readonly answer: T; readonly along: Along }> {
  const taken = new Set<string>();
  const gone = new Set<string>();
  let assumed = isFresh ? undefined : newest(candidate, store.heads.get(partition.key));
  let known = assumed ?? (await readHead(store, partition));
  for (let race = 0; race < RACES; race++) {
    const work = known && new RunWork(partition, known, now, gone);
    const answer = await decide(work, taken);
    if (work?.isChanged !== true) {
      // Nothing is refused by what may be old.
      if (assumed === undefined) return { answer, along: new Map() };
      known = await readHead(store, partition);
      assumed = undefined;
      continue;
    }
    const outcome = await work.write();
    if (outcome.status === "done") {
      if (work.written !== undefined) store.heads.set(partition.key, work.written);
      for (const topic of work.hints) store.hint(topic);
      return { answer, along: byId(outcome.along) };
    }
    known = await readHead(store, partition);
    assumed = undefined;
    // It was ours: an earlier answer to the same request was lost.
    if (work.isHeadChanged && known?.head.w === work.head.w) return { answer, along: new Map() };
    if (outcome.code === 409) taken.add(outcome.id);
    if (outcome.code === 404) gone.add(outcome.id);
    await sleep(Math.random() * Math.min(PAUSE_MS.first * 2 ** race, PAUSE_MS.most));
  }
  throw new StorageError("unavailable", `Too many write to ${partition.key} at once. Try again.`);
}

/** The newest head of a run; undefined if there is none, or if it is being purged. */
export async function readHead(store: Store, partition: Partition): Promise<Known | undefined> {
  const found = await partition.read<Head>(HEAD);
  store.heads.delete(partition.key);
  if (found === undefined || found.document.t === "gone") return undefined;
  const known = { head: found.document, etag: found.etag };
  store.heads.set(partition.key, known);
  return known;
}

function newest(one: Known | undefined, other: Known | undefined): Known | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one.head.at >= other.head.at ? one : other;
}

function byId(along: readonly Done[]): Along {
  return new Map(along.map(({ document }) => [document.id, document]));
}
