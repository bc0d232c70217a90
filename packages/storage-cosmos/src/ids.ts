import type { TaskKind } from "@perdure/core/storage";

// Ids of documents may have none of / \ ? and #, partition keys may: what users name is encoded in ids only.

/** The partition of a run, or of a cache entry: whatever they are named, those of two namespaces differ. */
export function runKey(namespace: string, runId: string): string {
  return `${encodeURIComponent(namespace)}:${runId}`;
}

export const HEAD = "head";

/** The dedupe mark of a message. */
export function markId(dedupeId: string): string {
  return `d:${encoded(dedupeId)}`;
}

export function messageId(no: number): string {
  return `m:${no}`;
}

/** The frame whose first event has this seq. */
export function frameId(first: number): string {
  return `e:${first}`;
}

export function activityId(seq: number): string {
  return `a:${seq}`;
}

/** What a claim selects by, as one text. */
export function laneOf(kind: TaskKind, queue: string, name: string): string {
  return `${kind === "workflow" ? "w" : "a"}${encoded(queue)}.${encoded(name)}`;
}

/** Orders as (createdAt, bytes of the run id) does. */
export function listKey(createdAt: number, runId: string): string {
  return `${String(createdAt).padStart(15, "0")}${Buffer.from(runId, "utf8").toString("hex")}`;
}

/** An attribute with its value, as one text that tells types apart. */
export function attributeKey(name: string, value: unknown): string {
  return JSON.stringify([name, value]);
}

function encoded(text: string): string {
  return Buffer.from(text, "utf8").toString("base64url");
}
