import type { NewRun, StorageBackend, StorageInfo } from "@perdure/core/storage";
import { check, status } from "./assert.ts";
import { Builder } from "./build/builder.ts";
import type { Chances } from "./chances.ts";
import { checkBackend, checkInfo } from "./check-backend.ts";
import { ConformanceFailure } from "./failure.ts";
import { Journal } from "./journal.ts";
import type { Random } from "./random.ts";
import type { ServerAddress } from "./proxy/proxy.ts";
import type { Strikes } from "./strikes.ts";
import type { BackendUnderTest, ClientClock } from "./subject.ts";
import { StoreTime } from "./time.ts";
import { Worker } from "./worker.ts";

export interface ContextOptions {
  readonly subject: BackendUnderTest;
  readonly namespace: string;
  readonly random: Random;
  /** The large numbers. */
  readonly full: boolean;
  readonly strikes: Strikes;
  readonly chances: Chances;
  /** The seed of the suite: simulations play this one and those after it. */
  readonly seed: number;
  /** So many last calls are kept. */
  readonly keepCalls?: number;
}

/** How a client of a case is opened. */
export interface ClientOptions {
  /** Another namespace of this case. */
  readonly namespace?: string;
  /**
   * How far the client's own clock is off. By default that of the first one is right, and where clients' clocks decide those of
   * all others are as far off as they may be, in turns ahead and behind.
   */
  readonly skewMs?: number;
  /** `false`: the case calls `setup()` itself. */
  readonly setup?: boolean;
  /** Connects there, instead of to the subject's server. */
  readonly server?: ServerAddress;
}

/** What a case works with: clients of a store of its own, builders, workers, time. Everything is closed after the case. */
export class CaseContext {
  readonly subject: BackendUnderTest;
  readonly random: Random;
  readonly full: boolean;
  /** How often nemeses strike. */
  readonly strikes: Strikes;
  readonly chances: Chances;
  readonly seed: number;
  /** Makes arguments. */
  readonly make: Builder;
  readonly journal: Journal;
  readonly guards: Map<string, number> = new Map();
  /** What the case counted, for the report. */
  readonly counts: Map<string, number> = new Map();
  readonly #cleanups: (() => Promise<void>)[] = [];
  readonly #options: ContextOptions;
  readonly #namespace: string;
  readonly #namespaces = new Set<string>();
  readonly #clients: StorageBackend[] = [];
  #backend: StorageBackend | undefined;
  #time: StoreTime | undefined;
  #workers = 0;
  #fresh = 0;

  constructor(options: ContextOptions) {
    const { subject, namespace, random, full, strikes, chances, seed, keepCalls } = options;
    this.#options = options;
    this.subject = subject;
    this.random = random;
    this.full = full;
    this.strikes = strikes;
    this.chances = chances;
    this.seed = seed;
    this.journal = new Journal(keepCalls);
    this.make = new Builder(random);
    this.#namespace = namespace;
  }

  /** Opens the case's first client. */
  async start(): Promise<void> {
    this.#backend = await this.open();
    this.#time = new StoreTime(this.subject, this.namespace(), this.#backend, this.journal);
  }

  /** The first client, after `setup()`. */
  get backend(): StorageBackend {
    return this.#backend!;
  }

  get info(): StorageInfo {
    return this.backend.info;
  }

  get time(): StoreTime {
    return this.#time!;
  }

  /** The full name of the case's own namespace, or of another one of the case. */
  namespace(suffix = ""): string {
    return suffix === "" ? this.#namespace : `${this.#namespace}_${suffix}`;
  }

  /** One more client, independent of the others. */
  async open({
    namespace = "",
    skewMs = this.#skew(),
    setup = true,
    server,
  }: ClientOptions = {}): Promise<StorageBackend> {
    const name = this.namespace(namespace);
    this.#namespaces.add(name);
    const clock = { now: () => Date.now() + skewMs };
    const options = { namespace: name, ...(server && { server }) };
    const opened = await this.journal.open(options, () => this.subject.open({ ...options, clock }));
    checkBackend(opened);
    const client = this.journal.record(`client${this.#clients.length + 1}`, opened);
    this.#clients.push(client);
    if (setup) {
      await client.setup();
      checkInfo(client);
    }
    return client;
  }

  #skew(): number {
    const half = Math.floor((this.#time?.errorMs ?? 0) / 2);
    return this.#clients.length % 2 === 0 ? -half : half;
  }

  /** A client of a store of its own, whose only clock is this one: see {@link BackendUnderTest.openOn}. Whoever asks for it closes it. */
  async openOn(clock: ClientClock, namespace: string): Promise<StorageBackend> {
    const name = this.namespace(namespace);
    this.#namespaces.add(name);
    return this.journal.record(namespace, await this.subject.openOn!({ namespace: name, clock }));
  }

  /** A case within this one, with a store of its own and all of its calls kept. The caller starts and ends it. */
  fresh(): CaseContext {
    this.#fresh += 1;
    const namespace = `${this.#namespace}x${this.#fresh}`;
    return new CaseContext({ ...this.#options, namespace, keepCalls: Infinity });
  }

  /** So many more clients. */
  clients(count: number, options?: ClientOptions): Promise<StorageBackend[]> {
    return Promise.all(Array.from({ length: count }, () => this.open(options)));
  }

  /** A worker's start: its own instance, aware of what it holds. */
  worker(backend: StorageBackend = this.backend): Worker {
    this.#workers += 1;
    return new Worker(backend, `worker-${this.#workers}`, this.random.text(20));
  }

  /** Creates a run, through the first client. */
  async create(overrides?: Partial<NewRun>): Promise<NewRun> {
    const run = this.make.run(overrides);
    const [created] = await this.backend.createRuns([run]);
    status(created, "created", "a new run is created");
    return run;
  }

  /** Works in a transaction of the case's store: see {@link BackendUnderTest.transaction}. */
  async transaction<T>(run: (tx: unknown) => Promise<T>): Promise<T> {
    const isOffered = this.subject.transaction !== undefined;
    check(isOffered, "the subject offers `transaction`, as its backend declares transactions");
    return this.subject.transaction!(this.namespace(), this.backend, run);
  }

  /** Does something in a transaction, and has it rolled back. */
  async rolledBack(work: (tx: unknown) => Promise<unknown>): Promise<void> {
    const reason = new Error("Rolled back on purpose.");
    let thrown: unknown;
    try {
      await this.transaction(async (tx) => {
        await work(tx);
        throw reason;
      });
    } catch (error) {
      thrown = error;
    }
    if (thrown !== reason)
      throw thrown ?? new ConformanceFailure("`transaction` rejects with what its function rejects with");
  }

  /** Counts a refusal that was seen. */
  guard(name: string): void {
    this.guards.set(name, (this.guards.get(name) ?? 0) + 1);
  }

  /** Adds to a number that the report shows. */
  count(name: string, by = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + by);
  }

  /** Has something done when the case ends, however it ends, before its clients are closed. */
  onEnd(cleanup: () => Promise<void>): void {
    this.#cleanups.push(cleanup);
  }

  /** Repeats an observation where listing is declared as eventual; elsewhere it must hold at once. */
  async listed(observe: () => Promise<void>): Promise<void> {
    const attempts = this.info.capabilities.listing === "eventual" ? 50 : 1;
    for (let attempt = 1; ; attempt++) {
      try {
        return await observe();
      } catch (error) {
        if (attempt === attempts) throw error;
        await this.time.wait(100);
      }
    }
  }

  /** Closes every client and removes every namespace. @throws what failed first, when all has been tried */
  async end(): Promise<void> {
    const failed: unknown[] = [];
    const attempt = async (work: () => void | Promise<void>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        failed.push(error);
      }
    };
    for (const cleanup of this.#cleanups.toReversed()) await attempt(cleanup);
    await Promise.all(this.#clients.map((client) => attempt(() => client.close())));
    for (const namespace of this.#namespaces) await attempt(() => this.subject.destroy?.(namespace));
    if (failed.length > 0) throw failed[0];
  }
}
