import type { OpenItem } from "../engine/open-in-history.ts";
import type { Failure } from "../model/failure.ts";
import type { Millis } from "../model/ids.ts";

/** An activity that is under way, or waits for its next attempt. One that takes less than 50 ms may not show. */
export interface CurrentActivity {
  readonly name: string;
  /** 1-based. Of one that waits for its next attempt, that attempt. */
  readonly attempt: number;
  /** When the attempt is due; `null` for one that is under way, or waits for a worker. */
  readonly retryAt: Date | null;
  /** Where it waits for another worker, or is executed by one; `null`: the worker that holds the run executes it. */
  readonly queue: string | null;
  /** Why the attempt before failed. Attempts on other workers (`queue`) do not tell. */
  readonly lastFailure: Failure | null;
}

/** Something that a run waits for. */
export type AwaitedItem =
  | ({ readonly what: "activity" } & CurrentActivity)
  | { readonly what: "timer"; readonly dueAt: Date }
  /** `dueAt`: when it stops waiting. */
  | { readonly what: "signal"; readonly name: string; readonly dueAt: Date | null }
  | { readonly what: "child"; readonly workflow: string; readonly runId: string };

/** For people: instants as dates. */
export function awaitedItem(open: OpenItem): AwaitedItem {
  switch (open.what) {
    case "activity":
      return { ...open, retryAt: dateOf(open.retryAt) };
    case "timer":
      return { ...open, dueAt: new Date(open.dueAt) };
    case "signal":
      return { ...open, dueAt: dateOf(open.dueAt) };
    case "child":
      return open;
  }
}

function dateOf(at: Millis | null): Date | null {
  return at === null ? null : new Date(at);
}
