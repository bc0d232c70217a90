import { randomUUID } from "node:crypto";
import {
  type CacheEntry,
  type CacheKey,
  type Millis,
  type NewCacheEntry,
  StorageError,
  type WriteCacheResult,
} from "@perdure/core/storage";
import { changeRun } from "../change-run.ts";
import type { CacheDocument, OwnedEntry, Promised } from "../documents.ts";
import { INLINE } from "../inline.ts";
import { isOfRun, ownedActivity, ownsRun } from "../owned.ts";
import type { Partition } from "../partition.ts";
import type { Store } from "../store.ts";
import { TextWriter } from "../texts.ts";
import { eachRun } from "./each-run.ts";

const ENTRY = "entry";
const RACES = 100;
/** How long the service keeps an entry that has expired. */
const KEPT_SECONDS = 3_600;
/** Longer than anybody who has promised something tries to keep it. */
const DEAD_SECONDS = 86_400;

interface Standing {
  /** Promises that are newer than what stands. */
  readonly open: readonly Promised[];
  /** The promise that is kept, if one is. */
  readonly kept: Promised | undefined;
  readonly entry: CacheEntry | undefined;
  readonly document: CacheDocument | undefined;
  readonly etag: string | undefined;
}

/** `readCache`: an expired entry counts as absent. */
export async function readCache(store: Store, keys: readonly CacheKey[]): Promise<readonly (CacheEntry | undefined)[]> {
  return eachRun(
    keys,
    (key) => key,
    async (same) => {
      const { entry } = await standing(store, same[0]!, store.now());
      return same.map(() => entry && { ...entry });
    },
  );
}

/** `writeCache`: each key by itself, in order. */
export async function writeCache(
  store: Store,
  entries: readonly NewCacheEntry[],
): Promise<readonly WriteCacheResult[]> {
  return eachRun(
    entries,
    ({ key }) => key,
    async (same) => {
      const results: WriteCacheResult[] = [];
      for (const entry of same) results.push(await write(store, entry));
      return results;
    },
  );
}

/** Forgets what a run had promised for a key. What somebody else has written since stays. */
export async function forgetPromise(store: Store, key: CacheKey, { id }: Promised): Promise<void> {
  const partition = store.cacheEntry(key);
  for (let race = 0; race < RACES; race++) {
    const found = await partition.read<CacheDocument>(ENTRY);
    if (found === undefined || !found.document.promises.some((promise) => promise.id === id)) return;
    const { document, etag } = found;
    const promises = document.promises.filter((promise) => promise.id !== id);
    const isEmpty = promises.length === 0 && document.value === null;
    const operation = isEmpty
      ? ({ operationType: "Delete", id: ENTRY, ifMatch: etag } as const)
      : ({ operationType: "Replace", id: ENTRY, resourceBody: { ...document, promises }, ifMatch: etag } as const);
    if ((await partition.write([operation], [])).status === "done") return;
  }
}

async function write(store: Store, entry: NewCacheEntry): Promise<WriteCacheResult> {
  const partition = store.cacheEntry(entry.key);
  for (let race = 0; race < RACES; race++) {
    const now = store.now();
    if (entry.owner !== undefined && !(await owns(store, entry.owner))) return { status: "lease-lost" };
    const before = await standing(store, entry.key, now);
    if (entry.mode === "first" && before.entry !== undefined) return { status: "kept", entry: before.entry };
    if (!(await killPromises(store, entry.key, before))) continue;
    const result =
      entry.owner === undefined
        ? await writeFree(partition, entry, before, now)
        : await writeOwned(store, partition, entry, entry.owner, before);
    if (result !== undefined) return result;
  }
  throw new StorageError("unavailable", `Too many write the cache entry ${entry.key} at once. Try again.`);
}

/** An entry that belongs to nobody: the document of its key says it. */
async function writeFree(
  partition: Partition,
  entry: NewCacheEntry,
  before: Standing,
  now: Millis,
): Promise<WriteCacheResult | undefined> {
  const texts = new TextWriter(partition.key);
  const value = texts.write(entry.value, INLINE);
  const isWritten = await put(
    partition,
    texts,
    { key: entry.key, value, expiresAt: entry.expiresAt, promises: [] },
    before,
    now,
  );
  return isWritten ? { status: "written", entry: entryOf(entry) } : undefined;
}

/** First the promise, then the entry itself with the fence of the claim; it stands if nobody has killed the promise meanwhile. */
async function writeOwned(
  store: Store,
  partition: Partition,
  entry: NewCacheEntry,
  owner: NonNullable<NewCacheEntry["owner"]>,
  before: Standing,
): Promise<WriteCacheResult | undefined> {
  const { key, expiresAt } = entry;
  const run = store.run(owner.runId);
  const id = `k:${randomUUID()}`;
  const { value, expiresAt: until } = before.document ?? { value: null, expiresAt: null };
  const promises = [{ partition: run.key, id }, ...(before.kept === undefined ? [] : [before.kept])];
  const isPromised = await put(
    partition,
    new TextWriter(partition.key),
    { key, value, expiresAt: until, promises },
    before,
    undefined,
  );
  if (!isPromised) return undefined;
  const { answer } = await changeRun(
    store,
    owner.runId,
    store.now(),
    async (work, taken) => {
      if (work === undefined) return "lease-lost";
      if (taken.has(id)) return "dead";
      const activity = isOfRun(owner) ? undefined : await ownedActivity(work, owner);
      if (activity === undefined && !ownsRun(work.head, owner)) return "lease-lost";
      if (activity !== undefined) work.changeActivity(activity);
      else work.changeHead();
      const text = work.texts.write(entry.value, INLINE);
      // Readers who know of the older one only still find it for a while.
      if (before.kept?.partition === run.key) work.retire(before.kept.id);
      work.create({ id, pk: run.key, t: "entry", key, isDead: false, value: text, expiresAt });
      return "written";
    },
    { isFresh: true },
  );
  if (answer === "dead") return undefined;
  return answer === "written" ? { status: "written", entry: entryOf(entry) } : { status: "lease-lost" };
}

/** What a key's document says, and the entry that it promises if that is there. */
async function standing(store: Store, key: CacheKey, now: Millis): Promise<Standing> {
  const partition = store.cacheEntry(key);
  const found = await partition.read<CacheDocument>(ENTRY);
  if (found === undefined) return { open: [], kept: undefined, entry: undefined, document: undefined, etag: undefined };
  const { document, etag } = found;
  const open: Promised[] = [];
  let kept: Promised | undefined;
  let place = partition;
  let { value, expiresAt }: Pick<CacheDocument, "value" | "expiresAt"> = document;
  for (const promise of document.promises) {
    const owner = store.partition(promise.partition);
    const written = await owner.read<OwnedEntry>(promise.id);
    if (written === undefined) open.push(promise);
    if (written === undefined || written.document.isDead) continue;
    [kept, place] = [promise, owner];
    ({ value, expiresAt } = written.document);
    break;
  }
  if (value === null || (expiresAt !== null && expiresAt <= now))
    return { open, kept, entry: undefined, document, etag };
  const [text] = await place.texts([value]);
  return { open, kept, entry: { key, value: text!, expiresAt }, document, etag };
}

/** Sees to it that promises which were not kept never will be. False: one has been kept meanwhile. */
async function killPromises(store: Store, key: CacheKey, { open }: Standing): Promise<boolean> {
  for (const { partition: pk, id } of open) {
    const partition = store.partition(pk);
    const dead: OwnedEntry = { id, pk, t: "entry", key, isDead: true, value: "", expiresAt: null, ttl: DEAD_SECONDS };
    const answer = await partition.write([{ operationType: "Create", resourceBody: dead }], []);
    if (answer.status === "done" || (await partition.read<OwnedEntry>(id))?.document.isDead === true) continue;
    return false;
  }
  return true;
}

async function put(
  partition: Partition,
  texts: TextWriter,
  entry: Omit<CacheDocument, "id" | "pk" | "t" | "ttl">,
  { etag }: Standing,
  now: Millis | undefined,
): Promise<boolean> {
  const ttl =
    now === undefined || entry.expiresAt === null
      ? undefined
      : Math.ceil(Math.max(0, entry.expiresAt - now) / 1_000) + KEPT_SECONDS;
  const document: CacheDocument = {
    id: ENTRY,
    pk: partition.key,
    t: "cache",
    ...entry,
    // The service takes no more than a 32-bit number of seconds.
    ...(ttl !== undefined && ttl < 2 ** 31 && { ttl }),
  };
  const operation =
    etag === undefined
      ? ({ operationType: "Create", resourceBody: document } as const)
      : ({ operationType: "Replace", id: ENTRY, resourceBody: document, ifMatch: etag } as const);
  return (await partition.write([operation], texts.pages)).status === "done";
}

/** Whether a claim owns its task now. Who asks only by this writes nothing that a batch does not fence. */
async function owns(store: Store, claim: NonNullable<NewCacheEntry["owner"]>): Promise<boolean> {
  const { answer } = await changeRun(
    store,
    claim.runId,
    store.now(),
    async (work) =>
      work !== undefined && (ownsRun(work.head, claim) || (await ownedActivity(work, claim)) !== undefined),
    { isFresh: true },
  );
  return answer;
}

function entryOf({ key, value, expiresAt }: NewCacheEntry): CacheEntry {
  return { key, value, expiresAt };
}
