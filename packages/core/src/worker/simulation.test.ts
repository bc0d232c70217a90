import { describe, expect, it } from "vitest";
import { recordingLogger } from "../../test/environment.ts";
import { type Intercept, intercepted, unavailable } from "../../test/intercepted.ts";
import { activities, interpreter, outputOf, type Program, Programmer, signalsOf } from "../../test/program.ts";
import { type Client, createClient } from "../client/client.ts";
import type { RunHandle } from "../client/handle.ts";
import { signal } from "../define/signal.ts";
import { SeededRandom } from "../engine/seeded-random.ts";
import { StorageError } from "../errors/index.ts";
import { memory, virtualClock } from "../memory.ts";
import { isTerminal } from "../model/event.ts";
import type { StorageBackend } from "../storage.ts";
import { exportHistory, replayHistory } from "../testing.ts";
import { virtualRuntime } from "../testing/virtual-runtime.ts";
import { createWorker, type Worker } from "./worker.ts";

/** Faults for so long, then peace, in which all runs must end. */
const STORM_MS = 20_000;
const PEACE_MS = 120_000;
const RUNS = 6;
const FATES: readonly Fate[] = [
  "completed",
  "completed",
  "completed",
  "completed",
  "cancelled",
  "terminated",
  "timed-out",
];
const WORKERS = 3;
/** What a worker is for. */
const ROLES = [
  { workflows: [interpreter] },
  { workflows: [interpreter], activities },
  { workflows: [interpreter], activities, queues: ["default", "remote"] },
  { workflows: [], activities, queues: ["remote"] },
] as const;
const SEEDS = Number(process.env["PERDURE_SIMULATIONS"] ?? 12);

type Fate = "completed" | "cancelled" | "terminated" | "timed-out";

interface Cast {
  readonly program: Program;
  readonly handle: RunHandle<unknown[], Record<string, unknown>>;
  /** What may become of it, besides completing. */
  readonly fate: Fate;
}

/** Workers that die, pause and are cut off from their storage, and runs that must not notice. */
class World {
  readonly #random: SeededRandom;
  readonly #clock = virtualClock();
  readonly #runtime: ReturnType<typeof virtualRuntime>;
  readonly #store: StorageBackend = memory({ clock: this.#clock });
  readonly #client: Client;
  readonly #workers: { readonly worker: Worker; kill: () => void }[] = [];
  #stormy = true;

  constructor(seed: number) {
    this.#random = new SeededRandom(`world ${seed}`);
    this.#runtime = virtualRuntime(this.#clock, `runtime ${seed}`);
    this.#client = createClient({ storage: this.#store, runtime: this.#runtime });
  }

  async play(): Promise<void> {
    const cast = await this.#start();
    for (let n = 0; n < WORKERS; n++) this.#hire();
    for (let ms = 0; ms < STORM_MS; ms += 1_500) this.#at(this.#int(STORM_MS), () => this.#replaceOne());
    await this.#pass(STORM_MS, () => false);
    this.#stormy = false;
    // One who can do everything.
    this.#hire(ROLES[2]);
    await this.#pass(PEACE_MS, async () => (await this.#client.stats()).runs.open === 0);
    await this.#stopAll();
    for (const one of cast) await this.#judge(one);
    await this.#judgeHistories();
  }

  async #start(): Promise<readonly Cast[]> {
    const programmer = new Programmer(this.#random);
    const cast: Cast[] = [];
    for (let n = 0; n < RUNS; n++) {
      const program = programmer.program(2, 2 + this.#int(5));
      const fate = FATES[this.#int(FATES.length)]!;
      const handle = await this.#client.start(interpreter, program, {
        id: `run-${n}`,
        ...(this.#int(5) === 0 && { startAt: this.#int(5_000) }),
        ...(fate === "timed-out" && { timeout: 1 + this.#int(STORM_MS) }),
      });
      if (fate === "cancelled")
        this.#at(this.#int(STORM_MS / 2), () => handle.cancel({ reason: "whim" }).catch(() => {}));
      if (fate === "terminated") this.#at(this.#int(STORM_MS / 2), () => handle.terminate().catch(() => {}));
      for (const { name, value } of signalsOf(program)) {
        const send = (): unknown => handle.signal(signal<number>(name), value, { id: name }).catch(() => {});
        for (let times = 0; times <= this.#int(2); times++) this.#at(this.#int(STORM_MS), send);
      }
      cast.push({ program, handle, fate });
    }
    return cast;
  }

  #hire(role: (typeof ROLES)[number] = ROLES[this.#int(ROLES.length)]!): void {
    let isDead = false;
    const through = async (call: () => Promise<never>): Promise<never> => {
      if (isDead) throw new StorageError("misconfigured", "This worker is dead.");
      const fate = this.#stormy ? this.#int(40) : 40;
      if (fate === 0) throw unavailable();
      if (fate < 4) await this.#wait(this.#int(fate === 1 ? 5_000 : 300));
      if (isDead) throw new StorageError("misconfigured", "This worker is dead.");
      const answer = await call();
      if (fate === 4) throw unavailable();
      if (fate > 4 && fate < 7) await this.#wait(this.#int(fate === 5 ? 5_000 : 300));
      if (isDead) throw new StorageError("misconfigured", "This worker is dead.");
      return answer;
    };
    const eventsPerCommit = [3, 10, 1_000][this.#int(3)]!;
    const narrow = {
      ...this.#store.info,
      limits: { ...this.#store.info.limits, eventsPerCommit, batch: 3 + this.#int(20) },
    };
    const verbs = [
      "claimTasks",
      "commitTasks",
      "renewLeases",
      "createRuns",
      "deliver",
      "readEvents",
      "getRun",
      "readCache",
      "writeCache",
    ];
    const worker = createWorker({
      storage: intercepted(this.#store, Object.fromEntries(verbs.map((verb) => [verb, through])) as Intercept, narrow),
      runtime: this.#runtime,
      ...role,
      lease: 2_000,
      cacheRuns: [0, 2, 1_000][this.#int(3)]!,
      concurrency: { runs: 1 + this.#int(8), activities: 1 + this.#int(4) },
      maxDeliveries: 1_000,
      logger: recordingLogger().logger,
    });
    worker.run().catch(() => {});
    const kill = (): void => {
      isDead = true;
    };
    this.#workers.push({ worker, kill });
  }

  async #stopAll(): Promise<void> {
    let stopped = false;
    void Promise.all(this.#workers.map(async ({ worker }) => worker.stop({ grace: 0 }))).then(() => {
      stopped = true;
    });
    await this.#pass(PEACE_MS, () => stopped);
    expect(stopped).toBe(true);
  }

  #replaceOne(): void {
    const at = this.#int(this.#workers.length);
    const { worker, kill } = this.#workers[at]!;
    if (this.#int(3) === 0) void worker.stop({ grace: this.#int(1_000) });
    else kill();
    this.#hire();
  }

  /** Lets time pass from timer to timer. */
  async #pass(ms: number, isOver: () => boolean | Promise<boolean>): Promise<void> {
    const until = this.#clock.now() + ms;
    for (;;) {
      await this.#runtime.calm();
      if (this.#clock.now() >= until || (await isOver())) return;
      const next = Math.min(this.#runtime.nextDueAt() ?? Infinity, this.#clock.now() + 1_000);
      this.#clock.set(Math.min(Math.max(next, this.#clock.now() + 1), until));
    }
  }

  async #judge({ program, handle, fate }: Cast): Promise<void> {
    const { status, why, attributes } = await handle.describe();
    const expected = { completed: "completed", cancelled: "cancelled", terminated: "cancelled", "timed-out": "failed" }[
      fate
    ];
    if (status !== expected) expect([status, why]).toEqual(["completed", why]);
    if (status === "completed") expect(await handle.result()).toEqual(outputOf(program));
    if (status === "failed") await expect(handle.result()).rejects.toMatchObject({ failure: { code: "timed-out" } });
    // The run's row is the fold of its history.
    let state: Record<string, unknown> = {};
    const tags: Record<string, unknown> = {};
    for (const { type, data } of await handle.history()) {
      if (type === "WORKFLOW_CONTINUED_AS_NEW") state = {};
      if (type === "STATE_SET") state[data.key] = data.value;
      if (type === "ATTRIBUTES_SET") Object.assign(tags, data.attributes);
    }
    expect([await handle.state(), attributes]).toEqual([state, tags]);
  }

  async #judgeHistories(): Promise<void> {
    const { items } = await this.#store.listRuns({ limit: 1_000 });
    for (const { runId } of items) {
      const exported = await exportHistory(this.#store, runId);
      const { events } = exported;
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at + 1));
      expect(events.filter(({ type }) => isTerminal(type))).toEqual([events.at(-1)]);
      const outcomes: unknown[] = [];
      let generation = 1;
      for (const { type, command } of events) {
        if (type === "WORKFLOW_CONTINUED_AS_NEW") generation++;
        if (!/_(COMPLETED|FAILED|FIRED|DELIVERED)$/u.test(type) || isTerminal(type)) continue;
        outcomes.push(`${generation}/${command}`);
      }
      expect(new Set(outcomes).size).toBe(outcomes.length);
      const times = events.map(({ at }) => at);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      await replayHistory(interpreter, exported, { prefixes: events.length <= 40 });
    }
  }

  #at(ms: number, act: () => unknown): void {
    this.#runtime.after(ms, () => void act());
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#runtime.after(ms, resolve));
  }

  #int(below: number): number {
    return Math.floor(this.#random.next() * below);
  }
}

describe("a world in which workers die, pause and lose their storage", () => {
  it.each(Array.from({ length: SEEDS }, (_, at) => at + 1))(
    "seed %i: every run ends as if nothing had happened (I1, I5, I9, I12, I14, I18)",
    { timeout: 60_000 },
    async (seed) => {
      await new World(seed).play();
    },
  );
});
