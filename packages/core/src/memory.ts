/** The reference storage: everything in this process's memory, for tests and for trying things out. */
import { MemoryBackend, type MemoryStorage } from "./memory/backend.ts";
import type { MemoryClock } from "./memory/clock.ts";
import { MemoryStore } from "./memory/store.ts";
import { checkNamespace } from "./storage/validate.ts";

export type { MemoryStorage } from "./memory/backend.ts";
export { type MemoryClock, type VirtualClock, virtualClock } from "./memory/clock.ts";
export type { MemoryStore } from "./memory/store.ts";
export type { MemoryTransaction } from "./memory/transaction.ts";

/** Which store a memory backend is a client of. Each option has a default. */
export interface MemoryOptions {
  /** Data of one namespace is invisible in all others. Default `default`. */
  readonly namespace?: string;
  /** Share a store to be another client of the same data, as a second process would be. Default: one of its own. */
  readonly store?: MemoryStore;
  /**
   * The time by which leases end and timers fall due. Default: the system's. A store has one clock for all its clients:
   * the first one that is given stays.
   */
  readonly clock?: MemoryClock;
}

/**
 * A storage backend that keeps everything in memory and loses it with the process.
 *
 * @example
 * const storage = memory();
 * const worker = createWorker({ storage, workflows: [order] });
 */
export function memory(options: MemoryOptions = {}): MemoryStorage {
  const { namespace = "default", store = createMemoryStore(), clock } = options;
  checkNamespace(namespace);
  if (clock !== undefined) store.clock.use(clock);
  return new MemoryBackend(store.namespace(namespace));
}

/** What several memory backends share: the counterpart of a database. */
export function createMemoryStore(): MemoryStore {
  return new MemoryStore({ now: () => Date.now() });
}
