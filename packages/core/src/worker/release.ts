import type { Millis } from "../model/ids.ts";

/** How a run left the worker's hands. */
export type Release =
  /** It waits for `wakeAt`, or for a message. */
  | { readonly to: "parked" | "blocked"; readonly wakeAt: Millis | null }
  | { readonly to: "done" }
  /** Another worker has it, or will have it when the lease ends. */
  | { readonly to: "lost" };
