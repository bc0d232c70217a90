import type { StorageBackend } from "@perdure/core/storage";
import { wrapVerbs } from "../verbs.ts";
import type { Ledger } from "./ledger.ts";

const LOOK_MS = 25;

/** Writes down whatever may cost a living worker its leases: a process that is not scheduled, and a storage that does not answer. */
export class Stalls {
  readonly #ledger: Ledger;
  readonly #by: string;
  /** Leases are renewed at a third of their time: a worker that is late by less is safe. */
  readonly #longMs: number;

  constructor(ledger: Ledger, by: string, leaseMs: number) {
    this.#ledger = ledger;
    this.#by = by;
    this.#longMs = leaseMs / 3;
  }

  /** Watches this process; answers how to stop it. */
  start(): () => void {
    let last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      this.#note(now - last - LOOK_MS);
      last = now;
    }, LOOK_MS);
    timer.unref();
    return () => clearInterval(timer);
  }

  /** A client whose slow calls are written down. */
  watch(backend: StorageBackend): StorageBackend {
    return wrapVerbs(backend, async (_verb, _args, call) => {
      const sent = performance.now();
      try {
        return await call();
      } finally {
        this.#note(performance.now() - sent);
      }
    });
  }

  #note(ms: number): void {
    if (ms >= this.#longMs) this.#ledger.note({ what: "stalled", by: this.#by, run: null, ms: Math.round(ms) });
  }
}
