import type { StorageAccess } from "../batch/storage-access.ts";
import type { Payload } from "../model/payload.ts";
import { CancelledError } from "../errors/index.ts";
import type { ActivityCall } from "./activity-call.ts";

/** What the newest checkpoint of a call's earlier attempts stored. */
export async function readCheckpoint(access: StorageAccess, call: ActivityCall): Promise<Payload | undefined> {
  return (await access.readCache(keyOf(call)))?.value;
}

/**
 * Stores a checkpoint, fenced by the claim under which the attempt runs.
 * @throws CancelledError when somebody else owns the activity now
 */
export async function writeCheckpoint(access: StorageAccess, call: ActivityCall, value: Payload): Promise<void> {
  const entry = { key: keyOf(call), value, expiresAt: null, mode: "replace", owner: call.claim } as const;
  const { status } = await access.writeCache(entry);
  if (status === "lease-lost")
    throw new CancelledError({ reason: `This worker does not own activity "${call.name}" any more.` });
}

function keyOf({ idempotencyKey }: ActivityCall): string {
  return `checkpoint:${idempotencyKey}`;
}
