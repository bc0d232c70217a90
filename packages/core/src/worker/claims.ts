import { hostname } from "node:os";
import { isPerdureError } from "../errors/index.ts";
import type { Millis, TaskId } from "../model/ids.ts";
import type { ClaimedTask, ClaimedWorkflowTask, ClaimResult } from "../storage/task.ts";
import { blockUnreadable } from "./block-run.ts";
import type { WorkerEnvironment } from "./environment.ts";
import { HeldRun } from "./held-run.ts";
import { Lease } from "./lease.ts";
import type { WorkerSettings } from "./options.ts";
import type { Release } from "./release.ts";
import { takeWithoutCode } from "./without-code.ts";

/** Events of a run come with its claim up to this many. */
const INLINE_EVENTS = 16;
/** A worker that hears nothing looks again after about this long. */
const FLOOR_MS = { push: 5_000, "in-process": 5_000, none: 250 } as const;
const RETRY_MS = 500;

/** A claimed task, from its hand-out until this worker is done with it. */
interface Taken {
  readonly task: ClaimedWorkflowTask;
  readonly lease: Lease;
  readonly now: Millis;
  held: HeldRun | null;
}

interface ClaimsListener {
  /** Something was claimed. */
  readonly taken: () => void;
  /** What no repetition mends has happened: the store is closed, damaged, or of another version. */
  readonly fatal: (error: unknown) => void;
}

/**
 * What the worker has claimed, and when it claims more: one call feeds all free slots and a prefetch of half as many. It claims
 * when a quarter of its slots is wanted or nothing runs, so that batches stay large under load and an idle worker answers at once.
 */
export class Claims {
  readonly #environment: WorkerEnvironment;
  readonly #settings: WorkerSettings;
  readonly #workerId = `${hostname()}/${process.pid}`;
  readonly #workerInstance: string;
  readonly #on: ClaimsListener;
  readonly #waiting: Taken[] = [];
  readonly #active = new Map<TaskId, Taken>();
  /** Tasks that this worker failed at: not asked for again before their lease is over. */
  readonly #failed = new Map<TaskId, Lease>();
  #claiming: Promise<ClaimResult> | null = null;
  /** Something may be claimable. */
  #promising = false;
  /** The storage was unavailable: the next claim waits for the alarm. */
  #pausing = false;
  #started = false;
  #draining = false;
  #alarm: (() => void) | null = null;
  #alarmAt: Millis = Infinity;
  /** Those who wait for nothing to be held, and those who also wait for nothing to be claimable. */
  #settled: (() => void)[] = [];
  #idle: PromiseWithResolvers<void>[] = [];

  constructor(environment: WorkerEnvironment, settings: WorkerSettings, on: ClaimsListener) {
    this.#environment = environment;
    this.#on = on;
    this.#settings = settings;
    this.#workerInstance = environment.runtime.id();
  }

  get isEmpty(): boolean {
    return this.#active.size + this.#waiting.length === 0;
  }

  /** Everything that is claimed, with what proves it. */
  *taken(): Iterable<{ readonly task: ClaimedWorkflowTask; readonly lease: Lease; readonly held: HeldRun | null }> {
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
    this.#promising = true;
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
    const { tasks } = await this.#claim(Math.min(max, this.#settings.runs, limits.claimTasks, limits.batch));
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
  drop(taken: { readonly task: ClaimedWorkflowTask }): void {
    const at = this.#waiting.findIndex(({ task }) => task === taken.task);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  #whenSettled(): Promise<void> {
    return new Promise((resolve) => {
      this.#settled.push(resolve);
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#active.size < this.#settings.runs) {
      const taken = this.#waiting.shift();
      if (taken === undefined) break;
      void this.#work(taken);
    }
    if (this.#started && !this.#draining && this.#claiming === null && this.#promising && !this.#pausing)
      this.#claimMore();
    if (!this.isEmpty || this.#claiming !== null) return;
    for (const settled of this.#settled.splice(0)) settled();
    if (!this.#promising || this.#draining) for (const { resolve } of this.#idle.splice(0)) resolve();
  }

  #claimMore(): void {
    const { runs } = this.#settings;
    const held = this.#active.size + this.#waiting.length;
    // All that is held is named by the next claim, and renewed, in one call.
    const { batch } = this.#environment.access.storage.info.limits;
    const room = Math.min(runs + Math.floor(runs / 2), batch - this.#failed.size) - held;
    if (room < 1 || (room < Math.ceil(runs / 4) && this.#active.size > 0)) return;
    this.#promising = false;
    void this.#claim(room).then(
      (result) => this.#plan(result),
      (error: unknown) => this.#refused(error),
    );
  }

  #refused(error: unknown): void {
    if (isPerdureError(error, "unavailable")) {
      this.#promising = this.#pausing = true;
      this.#wakeAt(this.#environment.access.clock.earliest() + RETRY_MS);
    } else {
      for (const { reject } of this.#idle.splice(0)) reject(error);
      this.#on.fatal(error);
    }
    this.#pump();
  }

  /** One claim at a time: what another one in flight hands out would look forgotten to this one. */
  async #claim(limit: number): Promise<ClaimResult> {
    while (this.#claiming !== null) await this.#claiming.catch(() => {});
    this.#claiming = this.#claimNow(limit);
    try {
      return await this.#claiming;
    } finally {
      this.#claiming = null;
    }
  }

  async #claimNow(limit: number): Promise<ClaimResult> {
    const { access, registry, leaseMs, runtime } = this.#environment;
    const { result, sentAt } = await access.claim({
      workerId: this.#workerId,
      workerInstance: this.#workerInstance,
      holding: this.#holding(),
      queues: this.#settings.queues,
      kinds: ["workflow"],
      handlers: { workflows: registry.names, activities: [] },
      limit: Math.min(limit, access.storage.info.limits.claimTasks),
      leaseMs,
      inlineEvents: INLINE_EVENTS,
      overdue: true,
    });
    for (const task of result.tasks) {
      if (!isWorkflow(task)) continue;
      this.#waiting.push({ task, lease: new Lease(runtime.monotonic, leaseMs, sentAt), now: result.now, held: null });
    }
    if (result.tasks.length > 0) this.#on.taken();
    return result;
  }

  #holding(): readonly TaskId[] {
    for (const [taskId, lease] of this.#failed) if (!lease.proven) this.#failed.delete(taskId);
    return [...this.#active.keys(), ...this.#waiting.map(({ task }) => task.claim.taskId), ...this.#failed.keys()];
  }

  /** When to claim again, after an answer. */
  #plan({ nextReadyAt }: ClaimResult): void {
    const { access, runtime } = this.#environment;
    const { wakeups } = access.storage.info.capabilities;
    const now = access.clock.earliest();
    if (nextReadyAt !== null && nextReadyAt <= now) this.#promising = true;
    else if (nextReadyAt !== null) this.#wakeAt(nextReadyAt);
    this.#wakeAt(now + FLOOR_MS[wakeups] * (0.75 + runtime.random() / 2), { poll: true });
    this.#pump();
  }

  /** Looks again at a time, or at an earlier one that was planned already. */
  #wakeAt(at: Millis, options?: { readonly poll: boolean }): void {
    if (!this.#started || this.#draining || this.#alarmAt <= at) return;
    const { access, runtime } = this.#environment;
    this.#callOff();
    this.#alarmAt = at;
    const look = (): void => {
      this.#callOff();
      this.look();
    };
    this.#alarm = runtime.after(at - access.clock.earliest(), look, options);
  }

  #callOff(): void {
    this.#alarm?.();
    this.#alarm = null;
    this.#alarmAt = Infinity;
    this.#pausing = false;
  }

  async #work(taken: Taken): Promise<void> {
    const { taskId } = taken.task.claim;
    this.#active.set(taskId, taken);
    try {
      this.#released(await this.#release(taken));
    } catch (error) {
      await this.#giveUp(taken, error);
    }
    // The task may have been claimed again before the answer that gave it up was in.
    if (this.#active.get(taskId) === taken) this.#active.delete(taskId);
    this.#pump();
  }

  async #giveUp({ task, lease }: Taken, error: unknown): Promise<void> {
    this.#failed.set(task.claim.taskId, lease);
    this.#wakeAt(this.#environment.access.clock.earliest() + this.#environment.leaseMs);
    const { runId, workflow } = task.run;
    if (isPerdureError(error, "corrupt")) await blockUnreadable(this.#environment, task, error).catch(() => {});
    else
      this.#environment.logger.error("A run could not be carried on; it is tried again when its lease ends.", {
        runId,
        workflow,
        error,
      });
  }

  async #release(taken: Taken): Promise<Release> {
    if (this.#draining) return this.#handBack(taken);
    const task = await this.#withHistory(taken.task);
    const withoutCode = await takeWithoutCode(this.#environment, task, taken.now);
    if (withoutCode !== null) return withoutCode;
    taken.held = new HeldRun(this.#environment, task, taken.lease);
    if (this.#draining) taken.held.drain(false);
    return taken.held.drive();
  }

  /** Reads the events of a run that is neither in memory nor short enough to come with its claim. */
  async #withHistory(task: ClaimedWorkflowTask): Promise<ClaimedWorkflowTask> {
    const { access, cache } = this.#environment;
    if (task.events !== null || cache.has(task.claim.taskId)) return task;
    const { runId, incarnation, baseSeq } = task.run;
    return { ...task, events: await access.readAll({ runId, incarnation, after: baseSeq }) };
  }

  #released(release: Release): void {
    if (release.to === "lost") this.#promising = true;
    if ((release.to !== "parked" && release.to !== "blocked") || release.wakeAt === null) return;
    if (release.wakeAt <= this.#environment.access.clock.earliest()) this.#promising = true;
    else this.#wakeAt(release.wakeAt);
  }

  /** Parks a run as it is, for whoever is free. */
  async #handBack({ task }: Taken): Promise<Release> {
    const { access, runtime } = this.#environment;
    const wakeAt = access.clock.earliest();
    const { status } = await access.commit({
      kind: "workflow",
      claim: task.claim,
      commitId: runtime.id(),
      expectedSeq: task.lastSeq,
      events: [],
      ackInbox: task.inboxAcked,
      next: { do: "park", wakeAt },
    });
    return status === "ok" || status === "duplicate" ? { to: "parked", wakeAt } : { to: "lost" };
  }
}

function isWorkflow(task: ClaimedTask): task is ClaimedWorkflowTask {
  return task.kind === "workflow";
}
