import { createHash } from "node:crypto";
import { Failure } from "./failure.ts";

/** A document as it is stored, with what the service adds. */
export interface Item {
  readonly id: string;
  readonly _rid: string;
  readonly _etag: string;
  /** When it was written, in whole seconds. */
  readonly _ts: number;
  readonly ttl?: number;
  readonly [name: string]: unknown;
}

export type Body = { readonly id?: unknown; readonly ttl?: unknown } & Readonly<Record<string, unknown>>;

/** Bytes of the largest item, and of the largest request. */
export const MOST_BYTES = 2 * 1024 * 1024;

const ID_BYTES = 1_023;

/** @throws Failure 400 for what no item may be, 413 for one that is too large */
export function checkBody(body: Body): void {
  const { id, ttl } = body;
  if (
    typeof id !== "string" ||
    id === "" ||
    Buffer.byteLength(id) > ID_BYTES ||
    /[/\\?#]/u.test(id) ||
    id.endsWith(" ")
  )
    throw new Failure(
      400,
      "The input content is invalid because the required property 'id' is missing or not allowed.",
    );
  if (ttl !== undefined && (!Number.isSafeInteger(ttl) || (ttl !== -1 && Number(ttl) <= 0)))
    throw new Failure(400, "The input ttl is invalid: it must be -1 or a positive 32-bit integer.");
  if (sizeOf(body) > MOST_BYTES) throw new Failure(413, "Request size is too large.");
}

export function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** Whether time has taken the item, by its own time to live or else by that of its container. */
export function isExpired({ ttl, _ts }: Item, defaultTtl: number | undefined, now: number): boolean {
  if (defaultTtl === undefined) return false;
  const seconds = ttl ?? defaultTtl;
  return seconds !== -1 && Math.floor(now / 1_000) >= _ts + seconds;
}

/** The physical partition of a key, of so many. */
export function rangeOf(partitionKey: string, ranges: number): number {
  return Math.floor((createHash("md5").update(partitionKey).digest()[0]! * ranges) / 256);
}
