import type { FloorLoad } from "./floor-load.ts";
import type { Held } from "./held.ts";

/** What a store does for the floor. */
export interface Strokes {
  /** Leases so many runs, with all that a worker needs of them. */
  readonly claim: (limit: number) => readonly Held[] | Promise<readonly Held[]>;
  /** Appends an activity's event to each run, in one transaction; the last one closes the runs. The heads move on. */
  readonly commit: (held: readonly Held[], activity: number, isLast: boolean) => void | Promise<void>;
}

/** All runs, batch by batch: as an engine would, that costs nothing, each commit waits for the one before. */
export async function workOff({ claim, commit }: Strokes, { runs, activities, batch }: FloorLoad): Promise<void> {
  for (let done = 0; done < runs;) {
    const held = await claim(batch);
    if (held.length === 0) throw new Error(`The floor found ${done} of ${runs} runs.`);
    for (let activity = 1; activity <= activities; activity++) await commit(held, activity, activity === activities);
    done += held.length;
  }
}

/** @throws Error if a write has not been made for each run: a head has moved, or a lease was lost. */
export function requireAll(written: number, held: readonly Held[]): void {
  if (written !== held.length) throw new Error(`The floor wrote for ${written} of ${held.length} runs.`);
}
