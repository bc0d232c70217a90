import type { TaskKind } from "../storage/task.ts";
import type { WorkerEnvironment } from "./environment.ts";
import type { WorkerSettings } from "./options.ts";

/** What a claim is to bring. */
export interface Wanted {
  readonly kinds: readonly TaskKind[];
  readonly limit: number;
}

/** How many tasks the worker has. */
export interface Load {
  /** Runs that are held. */
  readonly runs: number;
  /** Runs that wait for their turn here. */
  readonly waiting: number;
  /** Activities of others that are held. */
  readonly activities: number;
  /** Tasks that it failed at, and whose lease is not over. */
  readonly failed: number;
}

/**
 * What a worker claims next: one call feeds all free slots and a prefetch of half as many runs. It claims when a quarter of its
 * slots is wanted or nothing runs, so that batches stay large under load and an idle worker answers at once. Activities of others
 * are claimed for slots that are free now.
 */
export class ClaimPlan {
  /** All that this worker can be given. */
  readonly kinds: readonly TaskKind[];
  readonly #environment: WorkerEnvironment;
  readonly #settings: WorkerSettings;
  readonly #slotFree: () => void;
  /** Something of these kinds may be claimable; the one that was claimed last comes last. */
  readonly #promising = new Set<TaskKind>();
  /** The last claim left something behind. */
  #more = false;

  /** `slotFree` is called when a slot is free that a claim would have wanted. */
  constructor(environment: WorkerEnvironment, settings: WorkerSettings, slotFree: () => void) {
    this.#environment = environment;
    this.#settings = settings;
    this.#slotFree = slotFree;
    this.kinds = environment.registry.activityNames.length > 0 ? ["workflow", "activity"] : ["workflow"];
  }

  /** Nothing is known to be claimable. */
  get isHopeless(): boolean {
    return this.#promising.size === 0;
  }

  /** Something of these kinds may be claimable. */
  hope(kinds = this.kinds): void {
    for (const kind of kinds) this.#promising.add(kind);
  }

  /** What to claim now, if there are kinds in it. */
  next({ runs, waiting, activities, failed }: Load): Wanted {
    const slots = this.#settings;
    // All that is held is named by the next claim, and renewed, in one call.
    const { batch } = this.#environment.access.storage.info.limits;
    const left = batch - failed - runs - activities - waiting;
    const room: Record<TaskKind, number> = {
      workflow: Math.min(slots.runs + Math.floor(slots.runs / 2) - runs - waiting, left),
      activity: Math.min(this.#environment.slots.free, left),
    };
    // A storage of small batches leaves less room than a quarter of many slots: what there is must do, or what waits would wait for all (I27).
    const isWanted: Record<TaskKind, boolean> = {
      workflow: room.workflow >= Math.ceil(Math.min(slots.runs, left) / 4) || runs === 0,
      activity: room.activity >= Math.ceil(Math.min(slots.activities, left) / 4) || activities === 0,
    };
    const kinds = [...this.#promising].filter((kind) => room[kind] >= 1 && isWanted[kind]);
    if (this.#promising.has("activity") && !kinds.includes("activity")) this.#environment.slots.notify(this.#slotFree);
    const limits = kinds.map((kind) => room[kind]);
    const limit = Math.min(...limits);
    // A claim has one limit: where there is more than it brings, little room for one kind must not hold up the other.
    if (this.#more && limit * 4 < Math.max(...limits)) return { kinds: kinds.slice(0, 1), limit: limits[0]! };
    return { kinds, limit };
  }

  /** A claim is on its way: what else may be claimable of its kinds is known by its answer. */
  claimed({ kinds }: Wanted): void {
    for (const kind of kinds) this.#promising.delete(kind);
  }

  /** Takes in the answer: whether there is `more` than it brought. */
  answered({ kinds }: Wanted, more: boolean): void {
    this.#more = more;
    if (more) this.hope(kinds);
  }
}
