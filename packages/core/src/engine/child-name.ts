import { stableHash } from "../codec/stable-hash.ts";
import type { Seq } from "../model/ids.ts";

/** A child is named by its parent's incarnation and the seq of its CHILD_SCHEDULED: whoever repeats its creation creates nothing twice. */
export function childIncarnation(parentIncarnation: string, seq: Seq): string {
  return stableHash(`${parentIncarnation}/${seq}`);
}
