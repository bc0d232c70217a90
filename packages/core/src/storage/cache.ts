import type { Millis } from "../model/ids.ts";
import type { Payload } from "../model/payload.ts";
import type { Claim } from "./task.ts";

/** 1 … 512 UTF-8 bytes, byte-exact. */
export type CacheKey = string;

/** A value that is remembered. */
export interface CacheEntry {
  readonly key: CacheKey;
  readonly value: Payload;
  /** From then on the entry counts as absent, by the storage's clock; `null`: never. */
  readonly expiresAt: Millis | null;
}

/** A value to be remembered. */
export interface NewCacheEntry {
  readonly key: CacheKey;
  readonly value: Payload;
  readonly expiresAt: Millis | null;
  /** `first`: an unexpired entry stays and is answered. `replace`: the new value stands. */
  readonly mode: "first" | "replace";
  /**
   * The entry belongs to this claim's run: it is written only while the claim owns its task, and is deleted when the run is
   * purged, unless somebody else has written the key since. Refused like any fenced write.
   */
  readonly owner?: Claim;
}

/** `written` or `kept`: the entry that stands now; `kept` leaves it with whoever it belonged to. `lease-lost`: the owner does not own its task; nothing was written. */
export type WriteCacheResult =
  | { readonly status: "written" | "kept"; readonly entry: CacheEntry }
  | { readonly status: "lease-lost" };
