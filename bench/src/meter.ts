import type { CommitResult, StorageBackend, TaskCommit } from "@perdure/core/storage";

const READS = ["now", "getRun", "listRuns", "readEvents", "readCache", "stats"] as const;
const WRITES = ["createRuns", "renewLeases", "unblockTasks", "deliver", "writeCache", "purgeRuns"] as const;
/** A worker that has committed nothing for this long stands still. */
const STALLED_MS = 30_000;

type Verbs = Record<string, (...args: readonly unknown[]) => Promise<unknown>>;

/** What went through a storage. */
export interface Counts {
  /** Calls of verbs. A backend makes each at least one statement. */
  readonly calls: number;
  /** Those of them that write: each is at least one transaction. */
  readonly writes: number;
}

/** What has been brought to its end through a storage. */
export interface Ends {
  readonly closed: number;
  /** When the last one was; 0 before the first. By the wall clock, which all processes share. */
  readonly closedAt: number;
}

/** Counts the calls of a storage's verbs, and knows when so many runs have closed or parked through it. */
export class Meter {
  #calls = 0;
  #writes = 0;
  #closed = 0;
  #parked = 0;
  #commits = 0;
  #readAt = 0;
  #closedAt = 0;
  readonly #failures: string[] = [];
  #lookers = new Set<() => void>();

  /** Puts itself before the verbs of a storage of this process. */
  constructor(storage: StorageBackend) {
    const verbs = storage as unknown as Verbs;
    for (const name of READS) {
      intercept(verbs, name, (answer) => {
        this.#calls++;
        return this.#watched(answer).finally(() => (this.#readAt = performance.now()));
      });
    }
    for (const name of WRITES) {
      intercept(verbs, name, (answer) => {
        this.#countWrite();
        return this.#watched(answer);
      });
    }
    const claimTasks = storage.claimTasks.bind(storage);
    storage.claimTasks = async (request) => {
      const result = await this.#watched(claimTasks(request));
      // A look that finds nothing need not write.
      if (result.tasks.length > 0) this.#countWrite();
      else this.#calls++;
      return result;
    };
    const commitTasks = storage.commitTasks.bind(storage);
    storage.commitTasks = async (commits, options) => {
      this.#countWrite();
      const results = await this.#watched(commitTasks(commits, options));
      this.#countEnds(commits, results);
      return results;
    };
  }

  /** When the last reading verb was answered (`performance.now()`). */
  get readAt(): number {
    return this.#readAt;
  }

  get ends(): Ends {
    return { closed: this.#closed, closedAt: this.#closedAt };
  }

  /** @throws Error if a call has failed: workers repeat such calls, and the figures would hide it. */
  requireNoFailure(): void {
    if (this.#failures.length === 0) return;
    throw new Error(`${this.#failures.length} calls of the storage failed: ${this.#failures[0]}`);
  }

  counts(): Counts {
    return { calls: this.#calls, writes: this.#writes };
  }

  /** Resolves when so many runs more have closed. */
  closed(runs: number): Promise<void> {
    const from = this.#closed;
    return this.#until("closed", () => this.#closed - from, runs);
  }

  /** Resolves when so many runs more have parked. */
  parked(runs: number): Promise<void> {
    const from = this.#parked;
    return this.#until("parked", () => this.#parked - from, runs);
  }

  async #watched<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      this.#failures.push(String(error));
      throw error;
    }
  }

  #countWrite(): void {
    this.#calls++;
    this.#writes++;
  }

  #countEnds(commits: readonly TaskCommit[], results: readonly CommitResult[]): void {
    this.#commits += commits.length;
    commits.forEach((commit, at) => {
      if (commit.kind !== "workflow" || results[at]!.status !== "ok") return;
      if (commit.next.do === "done") {
        this.#closed++;
        this.#closedAt = Date.now();
      }
      if (commit.next.do === "park") this.#parked++;
    });
    for (const look of this.#lookers) look();
  }

  #until(what: string, count: () => number, wanted: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let before = -1;
      const watch = setInterval(() => {
        if (this.#commits === before)
          end(() => reject(new Error(`The worker stands still: ${count()} of ${wanted} runs have ${what}.`)));
        before = this.#commits;
      }, STALLED_MS);
      const end = (settle: () => void): void => {
        clearInterval(watch);
        this.#lookers.delete(look);
        settle();
      };
      const look = (): void => {
        if (count() >= wanted) end(resolve);
      };
      this.#lookers.add(look);
    });
  }
}

function intercept(verbs: Verbs, name: string, pass: (answer: Promise<unknown>) => Promise<unknown>): void {
  const verb = verbs[name]!.bind(verbs);
  verbs[name] = (...args) => pass(verb(...args));
}
