import type { CodeCall } from "../worker/interceptor.ts";
import type { WorkerOptions } from "../worker/options.ts";
import { createInterceptedWorker, type Worker } from "../worker/worker.ts";
import type { Runtime } from "../model/runtime.ts";
import type { Crashes } from "./crashes.ts";
import { Life } from "./life.ts";
import type { Mocks } from "./mocks.ts";
import { mortalRuntime } from "./mortal-runtime.ts";
import { mortalStorage } from "./mortal-storage.ts";

/** A worker that can die as if it had a process of its own: everything that it does outside itself passes through its life. */
export class WorkerProcess {
  readonly life = new Life();
  readonly worker: Worker;
  readonly #mocks: Mocks;
  readonly #crashes: Crashes;
  readonly #crashed: () => void;

  /** @param crashed called when a planned crash has happened */
  constructor(
    options: WorkerOptions & { readonly runtime: Runtime },
    mocks: Mocks,
    crashes: Crashes,
    crashed: () => void,
  ) {
    this.#mocks = mocks;
    this.#crashes = crashes;
    this.#crashed = crashed;
    const storage = mortalStorage(options.storage, this.life, {
      before: (write) => this.#crashIf(crashes.isDueAt(write)),
      after: (write, answers) => this.#crashIf(crashes.isDueSince(write, answers)),
    });
    const runtime = mortalRuntime(options.runtime, this.life);
    this.worker = createInterceptedWorker({ ...options, storage, runtime }, (call) => this.#execute(call));
  }

  /** Ends with the work, or with life. */
  async runUntilIdle(): Promise<void> {
    if (!this.life.isOver) await Promise.race([this.worker.runUntilIdle(), this.life.over]);
  }

  async stop(): Promise<void> {
    if (!this.life.isOver) await Promise.race([this.worker.stop({ grace: 0 }), this.life.over]);
  }

  #execute(call: CodeCall): Promise<unknown> {
    if (!this.life.isOver) this.#crashIf(this.#crashes.isDueBefore(call));
    return this.life.go(async () => {
      try {
        return await this.#mocks.execute(call);
      } finally {
        if (!this.life.isOver) this.#crashIf(this.#crashes.isDueAfter(call));
      }
    });
  }

  #crashIf(isDue: boolean): void {
    if (!isDue) return;
    this.life.end();
    this.#crashed();
  }
}
