import type { CacheKey } from "../storage/cache.ts";
import { type MemoryClock, StoreClock } from "./clock.ts";
import type { CacheRecord, RunRecord } from "./records.ts";
import { RunList } from "./run-list.ts";
import { Tasks } from "./tasks.ts";
import { Hints } from "./wake.ts";

/** What several backends share, as processes share a database: one clock, and data by namespace. */
export class MemoryStore {
  /** @internal */
  readonly clock: StoreClock;
  readonly #namespaces = new Map<string, Namespace>();

  constructor(wallClock: MemoryClock) {
    this.clock = new StoreClock(wallClock);
  }

  /** @internal */
  namespace(name: string): Namespace {
    let namespace = this.#namespaces.get(name);
    if (namespace === undefined) this.#namespaces.set(name, (namespace = new Namespace(this.clock)));
    return namespace;
  }
}

/** The records of one namespace. Nothing in it knows of another (I21). */
export class Namespace {
  readonly clock: StoreClock;
  readonly runs: RunList = new RunList();
  readonly tasks: Tasks = new Tasks();
  readonly cache: Map<CacheKey, CacheRecord> = new Map();
  readonly hints: Hints;

  constructor(clock: StoreClock, hints: Hints = new Hints()) {
    this.clock = clock;
    this.hints = hints;
  }

  /** The run with this id and, if given, this incarnation: nothing of a purged run touches one that has its id now. */
  run(runId: string, incarnation?: string): RunRecord | undefined {
    const run = this.runs.get(runId);
    return incarnation === undefined || run?.start.incarnation === incarnation ? run : undefined;
  }
}
