import { hostname } from "node:os";
import { isPerdureError } from "../errors/index.ts";
import type { Millis, TaskId } from "../model/ids.ts";
import type { ClaimedWorkflowTask, ClaimResult } from "../storage/task.ts";
import { Alarm } from "./alarm.ts";
import { carryOn, giveUp } from "./carry-on.ts";
import { ClaimPlan, type Wanted } from "./claim-plan.ts";
import type { WorkerEnvironment } from "./environment.ts";
import { Lease } from "./lease.ts";
import type { WorkerSettings } from "./options.ts";
import type { Release } from "./release.ts";
import type { Taken } from "./taken.ts";

/** Events of a run come with its claim up to this many. */
const INLINE_EVENTS = 16;
/** A worker that hears nothing looks again after about this long. */
const FLOOR_MS = { push: 5_000, "in-process": 5_000, none: 250 } as const;
const RETRY_MS = 500;

interface ClaimsListener {
  /** Something was claimed. */
  readonly taken: () => void;
  /** What no repetition mends has happened: the store is closed, damaged, or of another version. */
  readonly fatal: (error: unknown) => void;
}

/** What the worker has claimed, and when it claims more. */
export class Claims {
  readonly #environment: WorkerEnvironment;
  readonly #settings: WorkerSettings;
  readonly #workerId = `${hostname()}/${process.pid}`;
  readonly #workerInstance: string;
  readonly #on: ClaimsListener;
  /** Runs that wait for their turn here. */
  readonly #waiting: Taken<ClaimedWorkflowTask>[] = [];
  readonly #active = new Map<TaskId, Taken>();
  /** Tasks that this worker failed at: not asked for again before their lease is over. */
  readonly #failed = new Map<TaskId, Lease>();
  readonly #plan: ClaimPlan;
  readonly #alarm: Alarm;
  #claiming: Promise<ClaimResult> | null = null;
  /** Activities of others that are held. */
  #activities = 0;
  /** The storage was unavailable: the next claim waits for the alarm. */
  #pausing = false;
  #started = false;
  #draining = false;
  /** Those who wait for nothing to be held, and those who also wait for nothing to be claimable. */
  #settled: (() => void)[] = [];
  #idle: PromiseWithResolvers<void>[] = [];

  constructor(environment: WorkerEnvironment, settings: WorkerSettings, on: ClaimsListener) {
    this.#environment = environment;
    this.#on = on;
    this.#settings = settings;
    this.#workerInstance = environment.runtime.id();
    this.#plan = new ClaimPlan(environment, settings, () => this.#pump());
    this.#alarm = new Alarm(environment, () => {
      this.#pausing = false;
      this.look();
    });
  }

  get isEmpty(): boolean {
    return this.#active.size + this.#waiting.length === 0;
  }

  /** Everything that is claimed, with what proves it. */
  *taken(): Iterable<Taken> {
    yield* this.#active.values();
    yield* this.#waiting;
  }

  start(): void {
    this.#started = true;
    this.look();
  }

  /** Claims nothing more; what is held goes on. */
  pause(): void {
    this.#started = false;
    this.#callOff();
  }

  /** Something may be claimable now. */
  look(): void {
    this.#plan.hope();
    this.#pump();
  }

  /** Resolves when nothing is ready and nothing is held. */
  whenIdle(): Promise<void> {
    const idle = Promise.withResolvers<void>();
    this.#idle.push(idle);
    this.#pump();
    return idle.promise;
  }

  /** Claims once and waits until what it got has left this worker's hands. */
  async takeOnce(max: number): Promise<number> {
    if (this.#draining) return 0;
    const { limits } = this.#environment.access.storage.info;
    const limit = Math.min(max, this.#settings.runs, limits.claimTasks, limits.batch);
    const { tasks } = await this.#claim({ kinds: this.#plan.kinds, limit });
    this.#pump();
    await this.#whenSettled();
    return tasks.length;
  }

  /** Hands everything back; resolves when nothing is held any more. */
  async drain(hard: boolean): Promise<void> {
    this.#draining = true;
    this.#callOff();
    for (const { held } of this.#active.values()) held?.drain(hard);
    await this.#whenSettled();
  }

  /** Lets everything go at once, without a word to the storage. */
  abandon(): void {
    this.#draining = true;
    this.#callOff();
    this.#waiting.length = 0;
    for (const { held } of this.#active.values()) held?.lose();
  }

  /** A lease could not be proven any more. */
  drop({ task, held, lose }: Pick<Taken, "task" | "held" | "lose">): void {
    const at = this.#waiting.findIndex((waiting) => waiting.task === task);
    if (at >= 0) this.#waiting.splice(at, 1);
    if (held === null) lose?.();
  }

  #whenSettled(): Promise<void> {
    return new Promise((resolve) => {
      this.#settled.push(resolve);
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#runs < this.#settings.runs) {
      const taken = this.#waiting.shift();
      if (taken === undefined) break;
      void this.#work(taken);
    }
    if (this.#started && !this.#draining && this.#claiming === null && !this.#pausing) this.#claimMore();
    if (!this.isEmpty || this.#claiming !== null) return;
    for (const settled of this.#settled.splice(0)) settled();
    if (this.#plan.isHopeless || this.#draining) for (const { resolve } of this.#idle.splice(0)) resolve();
  }

  /** Runs that are held now. */
  get #runs(): number {
    return this.#active.size - this.#activities;
  }

  #claimMore(): void {
    const wanted = this.#plan.next({
      runs: this.#runs,
      waiting: this.#waiting.length,
      activities: this.#activities,
      failed: this.#failed.size,
    });
    if (wanted.kinds.length === 0) return;
    this.#plan.claimed(wanted);
    void this.#claim(wanted).then(
      (result) => this.#answered(wanted, result),
      (error: unknown) => this.#refused(error),
    );
  }

  #refused(error: unknown): void {
    if (isPerdureError(error, "unavailable")) {
      this.#environment.outage.begins(error);
      this.#plan.hope();
      this.#pausing = true;
      this.#wakeAt(this.#environment.access.clock.earliest() + RETRY_MS);
    } else {
      for (const { reject } of this.#idle.splice(0)) reject(error);
      this.#on.fatal(error);
    }
    this.#pump();
  }

  /** One claim at a time: what another one in flight hands out would look forgotten to this one. */
  async #claim(wanted: Wanted): Promise<ClaimResult> {
    while (this.#claiming !== null) await this.#claiming.catch(() => {});
    this.#claiming = this.#claimNow(wanted);
    try {
      return await this.#claiming;
    } finally {
      this.#claiming = null;
    }
  }

  async #claimNow({ kinds, limit }: Wanted): Promise<ClaimResult> {
    const { access, registry, leaseMs, runtime } = this.#environment;
    const { result, sentAt } = await access.claim({
      workerId: this.#workerId,
      workerInstance: this.#workerInstance,
      holding: this.#holding(),
      queues: this.#settings.queues,
      kinds,
      handlers: { workflows: registry.workflowNames, activities: registry.activityNames },
      limit: Math.min(limit, access.storage.info.limits.claimTasks),
      leaseMs,
      inlineEvents: INLINE_EVENTS,
      overdue: true,
    });
    for (const task of result.tasks) {
      const lease = new Lease(runtime.monotonic, leaseMs, sentAt);
      const taken = { lease, now: result.now, held: null, ended: null, lose: null };
      if (task.kind === "workflow") this.#waiting.push({ ...taken, task });
      else void this.#work({ ...taken, task });
    }
    if (result.tasks.length > 0) this.#on.taken();
    return result;
  }

  #holding(): readonly TaskId[] {
    for (const [taskId, lease] of this.#failed) if (!lease.proven) this.#failed.delete(taskId);
    return [...this.#active.keys(), ...this.#waiting.map(({ task }) => task.claim.taskId), ...this.#failed.keys()];
  }

  /** When to claim again, after an answer. */
  #answered(wanted: Wanted, { nextReadyAt }: ClaimResult): void {
    const { access, runtime, outage } = this.#environment;
    outage.isOver();
    const { wakeups } = access.storage.info.capabilities;
    const now = access.clock.earliest();
    const isMore = nextReadyAt !== null && nextReadyAt <= now;
    this.#plan.answered(wanted, isMore);
    if (nextReadyAt !== null && !isMore) this.#wakeAt(nextReadyAt);
    this.#wakeAt(now + FLOOR_MS[wakeups] * (0.75 + runtime.random() / 2), { poll: true });
    this.#pump();
  }

  /** Looks again at a time, or at an earlier one that was planned already. */
  #wakeAt(at: Millis, options?: { readonly poll: boolean }): void {
    if (this.#started && !this.#draining) this.#alarm.setFor(at, options);
  }

  #callOff(): void {
    this.#alarm.callOff();
    this.#pausing = false;
  }

  async #work(taken: Taken): Promise<void> {
    const { taskId } = taken.task.claim;
    const isActivity = taken.task.kind === "activity";
    const before = this.#active.get(taskId);
    this.#active.set(taskId, taken);
    if (isActivity) this.#activities++;
    try {
      if (before !== undefined) await this.#supersede(before);
      this.#released(await carryOn(this.#environment, taken, () => this.#draining));
    } catch (error) {
      await this.#giveUp(taken, error);
    }
    // The task may have been claimed again before the answer that gave it up was in.
    if (this.#active.get(taskId) === taken) this.#active.delete(taskId);
    if (isActivity) this.#activities--;
    taken.ended?.();
    this.#pump();
  }

  /**
   * A task was claimed again here: its older claim is over. Mostly that has given it up, and its answer is as good as here: the run
   * is in memory then. Otherwise its lease has ended unnoticed.
   */
  async #supersede(before: Taken): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      before.ended = resolve;
    });
    await Promise.race([ended, new Promise<void>((resolve) => this.#environment.runtime.defer(resolve))]);
    before.held?.lose();
  }

  async #giveUp({ task, lease }: Taken, error: unknown): Promise<void> {
    this.#failed.set(task.claim.taskId, lease);
    this.#wakeAt(this.#environment.access.clock.earliest() + this.#environment.leaseMs);
    await giveUp(this.#environment, task, error);
  }

  #released(release: Release): void {
    if (release.to === "lost") this.#plan.hope();
    // A run that this worker's code cannot carry on is not hurried back to it: others may have the right code.
    if (release.to !== "parked" || release.wakeAt === null) return;
    if (release.wakeAt <= this.#environment.access.clock.earliest()) this.#plan.hope();
    else this.#wakeAt(release.wakeAt);
  }
}
