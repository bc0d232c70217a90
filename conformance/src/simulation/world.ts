import { createWorker, type Worker } from "@perdure/core";
import { virtualClock } from "@perdure/core/memory";
import type { StorageBackend } from "@perdure/core/storage";
import { virtualRuntime, type VirtualRuntime } from "@perdure/core/testing";
import { check } from "../assert.ts";
import { ConformanceFailure } from "../failure.ts";
import { Random } from "../random.ts";
import type { ClientClock } from "../subject.ts";
import { simulatedActivities } from "./activities.ts";
import { Actors } from "./actors.ts";
import { drawCast, type Role } from "./cast.ts";
import { Executions } from "./executions.ts";
import { interpreterOf } from "./interpreter.ts";
import { type Exchange, Network } from "./network.ts";
import { SimulatedProcess } from "./process.ts";
import { drawTroubles, type Trouble } from "./troubles.ts";
import { Witness } from "./witness.ts";

/** Troubles for so long, then peace, in which all runs must end. */
const STORM_MS = 15_000;
const PEACE_MS = 120_000;
const CAST = 5;
const WORKERS = 3;
const LEASE_MS = 2_000;
/** How often something happens to a worker, and somebody looks after the dead. */
const TICK_MS = 750;

/** What a worker is for. */
const ROLES = ["workflows", "everything", "everything", "remote activities"] as const;

/** `cold`: no worker keeps parked runs in memory. */
export type Mode = "sticky" | "cold";

export interface WorldOptions {
  readonly seed: number;
  readonly mode: Mode;
  /** A new store, whose only clock is this one. */
  readonly open: (clock: ClientClock) => StorageBackend | Promise<StorageBackend>;
  /** Is told of each call that the store carries out, with the time. */
  readonly trace?: (exchange: Exchange, atMs: number) => void;
}

/**
 * Workers and clients over one store, in virtual time, in which everything that happens by chance follows from the seed. First a
 * storm: workers die, stand still and are cut off. Then peace, in which every run must end.
 */
export class World {
  readonly cast: readonly Role[];
  readonly troubles: ReadonlySet<Trouble>;
  readonly executions = new Executions();
  readonly witness = new Witness();
  /** When the storm was over, by a clock that is never set. */
  healedAt = Infinity;
  readonly #options: WorldOptions;
  readonly #random: Random;
  readonly #clock = virtualClock();
  readonly #runtime: VirtualRuntime;
  readonly #workers: { readonly process: SimulatedProcess; readonly worker: Worker }[] = [];
  /** Who has been told to stop. */
  readonly #leaving = new Set<SimulatedProcess>();
  /** How far the clock under the store is off. */
  #clockOffMs = 0;
  #storage: StorageBackend | undefined;
  #network: Network | undefined;
  #actors: Actors | undefined;
  #failure: { readonly error: unknown } | null = null;

  constructor(options: WorldOptions) {
    const { seed } = options;
    this.#options = options;
    this.cast = drawCast(new Random(seed, "cast"), CAST, STORM_MS);
    this.troubles = drawTroubles(new Random(seed, "troubles"));
    this.#random = new Random(seed, "world");
    this.#runtime = virtualRuntime(this.#clock, `simulation ${seed}`);
  }

  /** The store, without the network before it. */
  get storage(): StorageBackend {
    return this.#storage!;
  }

  /** @throws ConformanceFailure when a run does not end, or a promise was broken on the way */
  async play(): Promise<void> {
    const { seed, open, trace } = this.#options;
    const { troubles, witness } = this;
    this.#storage = await open({ now: () => this.#clock.now() + this.#clockOffMs });
    const beganAt = this.#clock.now();
    this.#network = new Network({
      storage: this.#storage,
      runtime: this.#runtime,
      random: new Random(seed, "network"),
      troubles,
      witness: (exchange) => {
        trace?.(exchange, this.#clock.now() - beganAt);
        witness.see(exchange, this.#clock.now());
      },
    });
    const acting = this.#act();
    for (let n = 0; n < WORKERS; n++) this.#hire();
    for (let ms = TICK_MS; ms < STORM_MS; ms += TICK_MS) this.#runtime.after(ms, () => this.#tick());
    await this.#pass(STORM_MS, () => false);
    this.healedAt = this.#clock.now();
    this.#heal();
    await this.#pass(PEACE_MS, async () => acting.isOver() && (await this.storage.stats()).queues.length === 0);
    await this.#requireEnds();
    await this.#stop();
  }

  async close(): Promise<void> {
    await this.#storage?.close();
  }

  #act(): { isOver(): boolean } {
    const { seed } = this.#options;
    const process = new SimulatedProcess("client", this.#runtime, 0);
    this.#actors = new Actors({
      storage: this.#network!.connect(process),
      runtime: process.runtime,
      random: new Random(seed, "actors"),
      interpreter: interpreterOf(this.#activities(process)),
    });
    let isOver = false;
    void this.#note(this.#actors.play(this.cast, STORM_MS)).finally(() => {
      isOver = true;
    });
    return { isOver: () => isOver };
  }

  #hire(role: (typeof ROLES)[number] = this.#random.pick(ROLES), concurrency = this.#concurrency()): void {
    const random = this.#random;
    const mayCrash = this.healedAt === Infinity && this.troubles.has("crash") && random.int(2) === 0;
    const steps = mayCrash ? random.int(random.pick([30, 300, 3_000])) : Infinity;
    const process = new SimulatedProcess(`worker ${this.#workers.length}`, this.#runtime, random.int(1e9), steps);
    const activities = this.#activities(process);
    const storage = this.#network!.connect(process);
    const limits = {
      ...storage.info.limits,
      eventsPerCommit: random.pick([3, 10, storage.info.limits.eventsPerCommit]),
      batch: 3 + random.int(20),
    };
    const cacheRuns = random.pick([2, 1_000, 1_000]);
    const worker = createWorker({
      storage: { ...storage, info: { ...storage.info, limits } },
      runtime: process.runtime,
      workflows: role === "remote activities" ? [] : [interpreterOf(activities)],
      activities: role === "workflows" ? [] : Object.values(activities),
      queues: role === "workflows" ? ["default"] : role === "everything" ? ["default", "remote"] : ["remote"],
      lease: LEASE_MS,
      cacheRuns: this.#options.mode === "cold" ? 0 : cacheRuns,
      concurrency,
      maxDeliveries: 1_000,
      logger: SILENT,
    });
    this.#workers.push({ process, worker });
    void this.#note(worker.run());
  }

  #concurrency(): { readonly runs: number; readonly activities: number } {
    return { runs: 1 + this.#random.int(8), activities: 1 + this.#random.int(4) };
  }

  #activities(process: SimulatedProcess): ReturnType<typeof simulatedActivities> {
    const { name: by, runtime } = process;
    return simulatedActivities({ by, runtime, now: () => this.#clock.now(), executions: this.executions });
  }

  /** Something happens to somebody; the dead are replaced. */
  #tick(): void {
    const random = this.#random;
    const alive = this.#workers.filter(({ process }) => !process.isDead && !this.#leaving.has(process));
    const { process, worker } = random.pick(alive.length > 0 ? alive : this.#workers);
    const trouble = random.pick(["crash", "pause", "drain", "clock", "none"] as const);
    const graceMs = random.int(1_000);
    const pauseMs = random.pick([100, 1_000, LEASE_MS + 500, 3 * LEASE_MS]);
    const stepMs = random.pick([-20_000, -1_000, 1_000, LEASE_MS + 500, 10_000]);
    if (trouble !== "none" && this.troubles.has(trouble)) {
      if (trouble === "crash") process.kill();
      if (trouble === "clock") this.#clockOffMs += stepMs;
      if (trouble === "pause") {
        process.pause();
        this.#runtime.after(pauseMs, () => process.resume());
      }
      if (trouble === "drain") {
        this.#leaving.add(process);
        void this.#note(worker.stop({ grace: graceMs }));
      }
    }
    const staff = this.#workers.filter((one) => !one.process.isDead && !this.#leaving.has(one.process));
    for (let count = staff.length; count < WORKERS; count++) this.#hire();
    void this.#note(this.#actors!.look(random.pick(this.cast).runId));
  }

  #heal(): void {
    this.#network!.calm();
    this.#hire("everything", { runs: 100, activities: 100 });
    for (const { process } of this.#workers) {
      process.spare();
      process.resume();
    }
  }

  /** Lets time pass, from timer to timer. */
  async #pass(ms: number, isOver: () => boolean | Promise<boolean>): Promise<void> {
    const until = this.#clock.now() + ms;
    for (;;) {
      await this.#runtime.calm();
      if (await this.#network!.work()) continue;
      this.witness.check();
      if (this.#failure !== null) throw this.#failure.error;
      const now = this.#clock.now();
      if (now >= until || (await isOver())) return;
      const next = Math.min(this.#runtime.nextDueAt() ?? Infinity, now + 1_000);
      this.#clock.set(Math.min(Math.max(next, now + 1), until));
    }
  }

  async #requireEnds(): Promise<void> {
    const { items } = await this.storage.listRuns({ limit: 1_000 });
    for (const { runId } of items) {
      const run = await this.storage.getRun(runId);
      if (run?.task === null) continue;
      throw new ConformanceFailure(`run "${runId}" ends within ${PEACE_MS} ms of peace (I9)`, {
        expected: "an end",
        actual: { task: run?.task, last: this.witness.histories.get(runId)?.slice(-5) },
      });
    }
  }

  async #stop(): Promise<void> {
    let stopped = false;
    const alive = this.#workers.filter(({ process }) => !process.isDead);
    void this.#note(Promise.all(alive.map(({ worker }) => worker.stop({ grace: 0 })))).finally(() => {
      stopped = true;
    });
    await this.#pass(PEACE_MS, () => stopped);
    check(stopped, "every worker that is told to stop does (I28)");
  }

  /** What a process throws that does not stand in its way to be dead, the world throws. */
  async #note(doing: Promise<unknown>): Promise<void> {
    try {
      await doing;
    } catch (error) {
      this.#failure ??= { error };
    }
  }
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
