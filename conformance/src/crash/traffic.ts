import { setTimeout as sleep } from "node:timers/promises";
import { type Client, type RunHandle, type WorkflowEvent, createClient, isPerdureError } from "@perdure/core";
import type { StorageBackend } from "@perdure/core/storage";
import { check, equal } from "../assert.ts";
import { ConformanceFailure } from "../failure.ts";
import type { Random } from "../random.ts";
import { drawPlan, drawRunId } from "./drawn-run.ts";
import { MemoryLedger } from "./ledger.ts";
import {
  type Outcome,
  type Plan,
  type Progress,
  expectedDelegated,
  expectedOutcome,
  expectedSum,
  go,
  labWorkflows,
} from "./workflows.ts";

/** So many runs are open at a time. */
const OPEN_RUNS = 8;

const { everything, pipeline, endless, delegating } = labWorkflows({ ledger: new MemoryLedger(), by: "client" });

/** A client that keeps starting runs, sends them their signals and checks what becomes of them. */
export class Traffic {
  readonly client: Client;
  readonly storage: StorageBackend;
  readonly runIds: string[] = [];
  readonly #random: Random;
  readonly #open = new Map<string, Promise<void>>();
  /** Reads of histories on the way, to be confronted with the last one. */
  readonly #seen: { readonly runId: string; readonly events: readonly WorkflowEvent[] }[] = [];
  readonly #patienceMs: number;
  #failure: { readonly error: unknown } | null = null;
  #starting = true;

  /** @param patienceMs how long the storage may be unavailable, beyond a moment */
  constructor(storage: StorageBackend, random: Random, patienceMs = 0) {
    this.storage = storage;
    this.client = createClient({ storage });
    this.#patienceMs = patienceMs;
    this.#random = random;
  }

  get openRuns(): readonly string[] {
    return [...this.#open.keys()];
  }

  /** Starts runs until {@link stop}. */
  async run(): Promise<void> {
    while (this.#starting && this.#failure === null) {
      while (this.#open.size < OPEN_RUNS) this.#start();
      await sleep(20);
      await this.#look();
    }
  }

  stop(): void {
    this.#starting = false;
  }

  /** @throws what went wrong with any run so far */
  check(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }

  /** Requires that every run ends within so long, and as it should (I9). `alive` throws when waiting is in vain. */
  async settle(ms: number, alive: () => void): Promise<void> {
    const deadline = performance.now() + ms;
    while (this.#open.size > 0) {
      this.check();
      alive();
      if (performance.now() > deadline) throw await this.#stuck(ms);
      await Promise.race([...this.#open.values(), sleep(100)]);
    }
    this.check();
  }

  /** I2: every read on the way is the beginning of the last one. Answers how many there were. */
  async checkReads(): Promise<number> {
    for (const { runId, events } of this.#seen) {
      const last = await this.client.handle(runId).history();
      equal(
        last.slice(0, events.length),
        events,
        `an earlier read of the history of run "${runId}" is the beginning of a later one (I2)`,
      );
    }
    return this.#seen.length;
  }

  #start(): void {
    const random = this.#random;
    const runId = drawRunId(random, this.runIds.length + 1);
    const plan = drawPlan(random);
    const signalsAfter = [random.int(400), random.int(400)] as const;
    const twice = random.int(4) === 0;
    const drives = [
      () => this.#pipeline(runId, plan),
      () => this.#endless(runId, plan),
      () => this.#delegating(runId, plan),
      () => this.#everything(runId, plan, signalsAfter, twice),
      () => this.#everything(runId, plan, signalsAfter, twice),
      () => this.#everything(runId, plan, signalsAfter, twice),
    ];
    this.runIds.push(runId);
    this.#open.set(
      runId,
      random
        .pick(drives)()
        .catch((error: unknown) => {
          this.#failure ??= { error };
        })
        .finally(() => this.#open.delete(runId)),
    );
  }

  async #endless(runId: string, plan: Plan): Promise<void> {
    const handle = await this.#insist(() => this.client.start(endless, plan, { id: runId }));
    equal(await this.#insist(() => handle.result()), expectedSum(plan), `run "${runId}" has the right result (I12)`);
    await this.#checkState(handle, { steps: 1, sum: expectedSum(plan) });
  }

  async #delegating(runId: string, plan: Plan): Promise<void> {
    const handle = await this.#insist(() => this.client.start(delegating, plan, { id: runId }));
    equal(
      await this.#insist(() => handle.result()),
      expectedDelegated(plan),
      `run "${runId}" has the right result (I12)`,
    );
  }

  async #pipeline(runId: string, plan: Plan): Promise<void> {
    const handle = await this.#insist(() => this.client.start(pipeline, plan, { id: runId }));
    equal(await this.#insist(() => handle.result()), expectedSum(plan), `run "${runId}" has the right result (I12)`);
    await this.#checkState(handle, { steps: plan.steps, sum: expectedSum(plan) });
  }

  async #everything(runId: string, plan: Plan, signalsAfter: readonly [number, number], twice: boolean): Promise<void> {
    const start = (): Promise<RunHandle<Outcome, Progress>> =>
      this.#insist(() => this.client.start(everything, plan, { id: runId }));
    const handle = await start();
    if (twice)
      equal((await start()).incarnation, handle.incarnation, `a repeated start answers the same run "${runId}" (I15)`);
    for (const [index, payload] of ["first", "second"].entries()) {
      await sleep(signalsAfter[index]);
      const send = (): Promise<void> => this.#insist(() => handle.signal(go, payload, { id: payload }));
      await send();
      if (twice && index === 0) await send();
    }
    equal(
      await this.#insist(() => handle.result()),
      expectedOutcome(plan),
      `run "${runId}" has the right result (I12, I18)`,
    );
    await this.#checkState(handle, { steps: plan.steps, phase: "done" });
  }

  async #checkState<State>(handle: RunHandle<unknown, State>, expected: State): Promise<void> {
    equal(await this.#insist(() => handle.state()), expected, `run "${handle.runId}" has the right state (I3)`);
  }

  #insist<T>(call: () => Promise<T>): Promise<T> {
    return insist(call, this.#patienceMs);
  }

  async #look(): Promise<void> {
    const open = this.openRuns;
    if (open.length === 0 || this.#random.int(3) > 0) return;
    const runId = this.#random.pick(open);
    try {
      this.#seen.push({ runId, events: await this.client.handle(runId).history() });
    } catch (error) {
      const early = isPerdureError(error, "run-not-found") || isPerdureError(error, "unavailable");
      if (!early) this.#failure ??= { error };
    }
  }

  async #stuck(ms: number): Promise<ConformanceFailure> {
    const runIds = this.openRuns;
    const first = runIds[0]!;
    const described = await this.client.handle(first).describe().catch(String);
    const history = await this.client
      .handle(first)
      .history()
      .catch(() => []);
    return new ConformanceFailure(
      `every run ends within ${ms} ms once nobody is killed any more; ${runIds.length} of ${this.runIds.length} have not, such as "${first}" (I9)`,
      { expected: "an end", actual: { described, last: history.slice(-6) } },
    );
  }
}

/** Repeats a call while the storage is unavailable, as that error says to: 20 times, or for so long. */
export async function insist<T>(call: () => Promise<T>, patienceMs = 0): Promise<T> {
  const giveUpAt = performance.now() + patienceMs;
  for (let tries = 1; ; tries++) {
    try {
      return await call();
    } catch (error) {
      const again = tries < 20 || performance.now() < giveUpAt;
      check(again && isPerdureError(error, "unavailable"), `the client's call is answered: ${String(error)}`);
      await sleep(20 * Math.min(tries, 20));
    }
  }
}
