import type { CacheEntry, CacheKey, Claim, Millis, NewCacheEntry, WriteCacheResult } from "@perdure/core/storage";
import { inLockOrder, lockOrderOf } from "../lock-order.ts";
import { query } from "../query.ts";
import { change, each, row, type Steps, write } from "../steps.ts";
import { claimedTask, owns } from "../tasks.ts";
import type { Turn } from "../turn.ts";

/** `readCache`, for one key: an expired entry counts as absent. */
export function* readCacheEntry(turn: Turn, key: CacheKey): Steps<CacheEntry | undefined> {
  return yield* row(findUnexpired, { ns: turn.ns, key, now: turn.now });
}

/** `writeCache`: fenced like any write where an entry belongs to a claim (I6). All owners' tasks are locked before any entry. */
export function* writeCache(turn: Turn, entries: readonly NewCacheEntry[]): Steps<readonly WriteCacheResult[]> {
  const owners = entries.flatMap(({ owner }) => owner ?? []);
  const runs = yield* inLockOrder(
    turn,
    owners.map(({ runId }) => runId),
    each(
      entries,
      ({ owner, key }) => `${owner === undefined ? "" : lockOrderOf(owner.taskId)}\0${key}`,
      ({ owner }) => runOf(turn, owner),
    ),
  );
  const owned = entries.map((entry, at) => ({ entry, run: runs[at] }));
  return yield* each(
    owned,
    ({ entry }) => entry.key,
    ({ entry, run }) => writeEntry(turn, entry, run),
  );
}

/** The number of an owner's run: null without an owner, undefined for one that has lost its lease. */
function* runOf(turn: Turn, owner: Claim | undefined): Steps<number | null | undefined> {
  if (owner === undefined) return null;
  const task = yield* claimedTask(turn, owner);
  return task !== undefined && owns(owner, task) ? task.run : undefined;
}

function* writeEntry(
  turn: Turn,
  { key, value, expiresAt, mode }: NewCacheEntry,
  run: number | null | undefined,
): Steps<WriteCacheResult> {
  if (run === undefined) return { status: "lease-lost" };
  const { ns, now } = turn;
  for (;;) {
    yield* mode === "replace" ? write(deleteEntry, { ns, key }) : write(deleteExpired, { ns, key, now });
    const inserted = yield* change(insertEntry, { ns, key, value, expiresAt, run });
    if (inserted > 0) return { status: "written", entry: { key, value, expiresAt } };
    // Somebody else's entry was there first. It stays if it may; one to be replaced, or that is gone or expired, is in nobody's way.
    const entry = mode === "first" ? yield* row(findUnexpired, { ns, key, now }) : undefined;
    if (entry !== undefined) return { status: "kept", entry };
  }
}

const findUnexpired = query((db, args: { ns: number; key: string; now: Millis }) =>
  db
    .selectFrom("perdure_cache")
    .select(["key", "value", "expires_at as expiresAt"])
    .where("ns", "=", args.ns)
    .where("key", "=", args.key)
    .where((eb) => eb.or([eb("expires_at", "is", null), eb("expires_at", ">", args.now)])),
);

const deleteEntry = query((db, args: { ns: number; key: string }) =>
  db.deleteFrom("perdure_cache").where("ns", "=", args.ns).where("key", "=", args.key),
);

const deleteExpired = query((db, args: { ns: number; key: string; now: Millis }) =>
  db
    .deleteFrom("perdure_cache")
    .where("ns", "=", args.ns)
    .where("key", "=", args.key)
    .where("expires_at", "<=", args.now),
);

const insertEntry = query(
  (db, args: { ns: number; key: string; value: string; expiresAt: Millis | null; run: number | null }, dialect) =>
    dialect.insertNew(
      db.insertInto("perdure_cache").values({
        ns: args.ns,
        key: args.key,
        value: args.value,
        expires_at: args.expiresAt,
        run: args.run,
      }),
    ),
);
