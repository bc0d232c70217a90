import { mkdtempSync, rmSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CaseContext } from "../context.ts";
import { ConformanceFailure } from "../failure.ts";
import type { ServerAddress } from "../proxy/proxy.ts";
import { type LedgerEntry, LedgerReader } from "./ledger.ts";
import type { ProcessOrder, SoloOrder, SoloRun, WorkerOrder, WrongClock } from "./order.ts";
import { processModule } from "./process-module.ts";
import { Spawned } from "./spawned.ts";

/** The shortest that a worker takes, with a margin: what waits for it is what the lab's time goes into. */
export const LEASE_MS = 400;

const POLL_MS = 3;

/** How a worker is to be started, if not like all others. */
interface WorkerOptions {
  /** Where it connects, if not to the subject's server. */
  readonly server?: ServerAddress;
  readonly clock?: WrongClock;
  /** It has the store for itself, and sees these through: when all have ended, it ends. */
  readonly runs?: readonly SoloRun[];
}

/** A worker in a process of its own. */
export interface LabWorker {
  readonly by: string;
  readonly process: Spawned;
}

/** Starts, stops and kills processes over one store, and reads what they write down. Leaves nothing behind. */
export class Supervisor {
  readonly killed: Set<string> = new Set();
  readonly #t: CaseContext;
  readonly #folder: string;
  readonly #reader: LedgerReader;
  readonly #workers = new Set<LabWorker>();
  readonly #processes = new Set<Spawned>();
  #started = 0;
  #closed: Promise<void> | null = null;

  constructor(t: CaseContext) {
    this.#t = t;
    this.#folder = mkdtempSync(join(tmpdir(), `perdure-crash-${process.pid}-`));
    mkdirSync(join(this.#folder, "marks"));
    this.#reader = new LedgerReader(this.#path("ledger"));
    process.once("exit", this.#killAll);
    t.onEnd(() => this.close());
  }

  /** The workers that live, as far as this process knows. */
  get workers(): readonly LabWorker[] {
    return [...this.#workers];
  }

  /** All that the workers have written down. */
  ledger(): readonly LedgerEntry[] {
    this.#reader.read();
    return this.#reader.entries;
  }

  /** How much the workers have written down. */
  get ledgerBytes(): number {
    this.#reader.read();
    return this.#reader.bytes;
  }

  /** Starts one more worker. */
  start({ server, clock, runs }: WorkerOptions = {}): LabWorker {
    const by = `w${++this.#started}`;
    const order: WorkerOrder = {
      ...this.#order(),
      by,
      ledger: this.#path("ledger"),
      leaseMs: LEASE_MS,
      marks: this.#path("marks"),
      ...(server && { server: { host: server.host, port: server.port } }),
      ...(clock && { clock }),
    };
    const [entry, whole] =
      runs === undefined
        ? [processModule("worker-process"), order]
        : [processModule("solo-process"), { ...order, runs } satisfies SoloOrder];
    const worker = { by, process: this.spawn(entry, whole, clock && processModule("wrong-clock")) };
    this.#workers.add(worker);
    return worker;
  }

  /**
   * Starts a process of another kind, with what every process needs to know added to its order.
   * @param before the module that it loads before all others
   */
  spawn(entry: URL, order: object, before?: URL): Spawned {
    if (this.#closed !== null) throw new ConformanceFailure("no process is started after the case");
    const spawned = new Spawned(entry, { ...this.#order(), ...order }, this.#path("compiled"), before);
    this.#processes.add(spawned);
    void spawned.exited.then(() => this.#processes.delete(spawned));
    return spawned;
  }

  /** Kills a worker with SIGKILL, and waits until it is gone. */
  async kill(worker: LabWorker): Promise<void> {
    this.checkWorkers();
    this.#workers.delete(worker);
    this.killed.add(worker.by);
    await worker.process.kill();
  }

  /** Waits until the ledger has an entry from `from` on that is asked for; `undefined` if that does not happen in time. */
  async entry<E extends LedgerEntry>(
    from: number,
    ms: number,
    is: (entry: LedgerEntry) => entry is E,
  ): Promise<E | undefined> {
    const deadline = performance.now() + ms;
    for (let seen = from; ;) {
      const entries = this.ledger();
      for (; seen < entries.length; seen++) {
        const entry = entries[seen]!;
        if (is(entry)) return entry;
      }
      this.checkWorkers();
      if (performance.now() >= deadline) return undefined;
      await sleep(POLL_MS);
    }
  }

  /** @throws ConformanceFailure when a worker has died by itself */
  checkWorkers(): void {
    for (const {
      by,
      process: { exit, stderr },
    } of this.#workers) {
      if (exit === null) continue;
      const how = exit.signal ?? `code ${exit.code}`;
      throw new ConformanceFailure(
        `worker ${by} lives until it is killed, and does not end with ${how} by itself: ${stderr || "it said nothing"}`,
      );
    }
  }

  /** Ends every process, and removes every file. Safe to call again. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#processes].map((spawned) => spawned.kill()));
    process.off("exit", this.#killAll);
    this.#reader.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  readonly #killAll = (): void => {
    for (const spawned of this.#processes) spawned.signal("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  };

  #order(): ProcessOrder {
    return { module: this.#t.subject.module!.href, namespace: this.#t.namespace(), supervisor: process.pid };
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}
