import type { Millis } from "../model/ids.ts";
import type { ClaimedTask } from "../storage/task.ts";
import type { Held } from "./held.ts";
import type { Lease } from "./lease.ts";

/** A claimed task, from its hand-out until this worker is done with it. */
export interface Taken<T extends ClaimedTask = ClaimedTask> {
  readonly task: T;
  readonly lease: Lease;
  /** The storage's time when it was handed out. */
  readonly now: Millis;
  held: Held | null;
  /** Whoever has claimed it again here waits for its end. */
  ended: (() => void) | null;
  /** Called when the lease of a task that nothing holds could not be proven. */
  lose: (() => void) | null;
}
