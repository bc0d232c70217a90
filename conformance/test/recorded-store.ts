import { createMemoryStore, memory, type MemoryClock } from "@perdure/core/memory";
import type { StorageBackend, StorageInfo, TransactionalVerb, WriteOptions } from "@perdure/core/storage";
import { checkTransaction } from "@perdure/core/storage";
import { type Verb, wrapVerbs } from "../src/verbs.ts";

/** A call that changes a store. */
export interface Write {
  readonly namespace: string;
  readonly verb: Verb;
  readonly args: readonly unknown[];
  /** What the store's clock said. */
  readonly at: number;
  /** When that was, by `performance.now()`. */
  readonly since: number;
}

const WRITES = new Set<Verb>([
  "createRuns",
  "claimTasks",
  "renewLeases",
  "commitTasks",
  "unblockTasks",
  "deliver",
  "writeCache",
  "purgeRuns",
]);

/** A memory store that can be had again as it was earlier: it writes down every call that changes it. */
export class RecordedStore {
  readonly writes: Write[] = [];
  readonly #store = createMemoryStore();
  readonly #clock: MemoryClock;
  #now = 0;

  constructor(clock: MemoryClock) {
    this.#clock = clock;
  }

  open(namespace: string): StorageBackend {
    const backend = this.#client(namespace);
    const { capabilities } = backend.info;
    // A transaction is written when it ends, by no call of a verb.
    const info: StorageInfo = { ...backend.info, capabilities: { ...capabilities, transactions: [] } };
    const recorded = wrapVerbs(backend, async (verb, args, call) => {
      checkTransaction(verb as TransactionalVerb, args[1] as WriteOptions | undefined, info);
      this.#now = this.#clock.now();
      if (WRITES.has(verb)) {
        const since = performance.now();
        this.writes.push({ namespace, verb, args: structuredClone(args), at: this.#now, since });
      }
      return call();
    });
    return { ...recorded, info };
  }

  /** A client that shows the store as it is after the last {@link repeat}, at that time. */
  openStill(namespace: string): StorageBackend {
    return this.#client(namespace);
  }

  /**
   * Does again what was done elsewhere: the same calls at the same times lead to the same state.
   * @param now what the clock says then; that of the last call, if it is left out
   */
  repeat(writes: readonly Write[], now?: number): void {
    for (const write of writes) {
      this.#now = write.at;
      this.writes.push(write);
      const backend = this.#client(write.namespace);
      const method = backend[write.verb] as (...args: readonly unknown[]) => Promise<unknown>;
      // What was refused is refused again.
      method.apply(backend, structuredClone([...write.args])).catch(() => {});
    }
    this.#now = now ?? this.#now;
  }

  #client(namespace: string): StorageBackend {
    return memory({ namespace, store: this.#store, clock: { now: () => this.#now } });
  }
}
