import { createWorker, type Worker, type WorkerOptions } from "@perdure/core";
import { type StorageBackend, StorageError } from "@perdure/core/storage";
import { wrapVerbs } from "../../verbs.ts";

/** A worker that can die: from then on nothing that it does reaches the storage, and no answer reaches it. */
export class MortalWorker {
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  readonly #grave = Promise.withResolvers<never>();
  readonly #underway = new Set<Promise<unknown>>();
  #dead = false;
  #failure: { readonly error: unknown } | null = null;

  constructor({ storage, ...options }: WorkerOptions) {
    // Nobody may be listening when it is buried.
    this.#grave.promise.catch(() => {});
    this.#worker = createWorker({ ...options, storage: this.#mortal(storage), logger: SILENT });
    this.#ended = this.#worker.run().catch((error: unknown) => {
      if (!this.#dead) this.#failure = { error };
    });
  }

  /** What ended it although nobody had asked it to. */
  get failure(): { readonly error: unknown } | null {
    return this.#failure;
  }

  /** Dies as a killed process does: its leases stand until they end. Resolves when the last call that it sent has arrived. */
  async die(): Promise<void> {
    this.#dead = true;
    await Promise.allSettled(this.#underway);
  }

  /** Hands everything back, or removes what is left of the dead. @throws what had ended it before */
  async stop(): Promise<void> {
    this.#grave.reject(new StorageError("misconfigured", "This worker is dead."));
    await this.#worker.stop({ grace: 0 });
    await this.#ended;
    if (this.#failure !== null) throw this.#failure.error;
  }

  /** Lets activities that run end, then hands everything back. */
  async retire(): Promise<void> {
    await this.#worker.stop();
  }

  #mortal(backend: StorageBackend): StorageBackend {
    return wrapVerbs(backend, async (_verb, _args, call) => {
      if (this.#dead) return this.#grave.promise;
      const answer = call();
      this.#underway.add(answer);
      await Promise.allSettled([answer]);
      this.#underway.delete(answer);
      return this.#dead ? this.#grave.promise : answer;
    });
  }
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
