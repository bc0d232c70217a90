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

/**
 * What the worker has claimed, and when it claims more: one call feeds all free slots and a prefetch of half as many. It claims
 * when a quarter of its slots is wanted or nothing runs, so that batches stay large under load and an idle worker answers at once.
 */
export class Claims {
  readonly #environment: WorkerEnvironment;
  readonly #settings: WorkerSettings;
  readonly #workerId = `${hostname()}/${process.pid}`;
  readonly #workerInstance: string;
  readonly #onFatal: (error: unknown) => void;
  readonly #waiting: Taken[] = [];
  readonly #active = new Map<TaskId, Taken>();
  /** Tasks that this worker failed at: not asked for again before their lease is over. */
  readonly #failed = new Map<TaskId, Lease>();
  #claiming: Promise<ClaimResult> | null = null;
  /** Something may be claimable. */
  #promising = false;
  #started = false;
  #draining = false;
  #alarm: (() => void) | null = null;
  #alarmAt: Millis = Infinity;
  #settled: (() => void)[] = [];

  /** `onFatal` hears of what no repetition mends: a store that is closed, damaged, or of another version. */
  constructor(environment: WorkerEnvironment, settings: WorkerSettings, onFatal: (error: unknown) => void) {
    this.#environment = environment;
    this.#onFatal = onFatal;
    this.#settings = settings;
    this.#workerInstance = environment.runtime.id();
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

  /** Something may be claimable now. */
  look(): void {
    this.#promising = true;
    this.#pump();
  }

  /** Claims once and waits until what it got has left this worker's hands. */
  async takeOnce(max: number): Promise<number> {
    const { limits } = this.#environment.access.storage.info;
    const { tasks } = await this.#claim(Math.min(max, this.#settings.runs, limits.claimTasks));
    this.#pump();
    await this.#whenSettled();
    return tasks.length;
  }

  /** Hands everything back; resolves when nothing is held any more. */
  async drain(hard: boolean): Promise<void> {
    this.#draining = true;
    this.#alarm?.();
    for (const taken of this.#waiting.splice(0)) void this.#handBack(taken);
    for (const { held } of this.#active.values()) held?.drain(hard);
    await this.#whenSettled();
  }

  /** Lets everything go at once, without a word to the storage. */
  abandon(): void {
    this.#draining = true;
    this.#alarm?.();
    this.#waiting.length = 0;
    for (const { held } of this.#active.values()) held?.lose();
  }

  /** A lease could not be proven any more. */
  drop(taken: { readonly task: ClaimedWorkflowTask }): void {
    const at = this.#waiting.findIndex(({ task }) => task === taken.task);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  #whenSettled(): Promise<void> {
    if (this.#active.size + this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#settled.push(resolve));
  }

  #pump(): void {
    while (this.#active.size < this.#settings.runs) {
      const taken = this.#waiting.shift();
      if (taken === undefined) break;
      void this.#work(taken);
    }
    if (this.#active.size + this.#waiting.length === 0) for (const settled of this.#settled.splice(0)) settled();
    if (this.#started && !this.#draining && this.#claiming === null && this.#promising) this.#claimMore();
  }

  #claimMore(): void {
    const { runs } = this.#settings;
    const room = runs + Math.floor(runs / 2) - this.#active.size - this.#waiting.length;
    if (room < Math.ceil(runs / 4) && this.#active.size > 0) return;
    this.#promising = false;
    void this.#claim(room).then(
      (result) => this.#plan(result),
      (error: unknown) => {
        if (isPerdureError(error, "unavailable")) this.#wakeIn(RETRY_MS);
        else this.#onFatal(error);
      },
    );
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
    if (nextReadyAt !== null && nextReadyAt <= access.clock.earliest()) this.#promising = true;
    else if (nextReadyAt !== null) this.#wakeAt(nextReadyAt);
    if (this.#alarm === null) this.#wakeIn(FLOOR_MS[wakeups] * (0.75 + runtime.random() / 2));
    this.#pump();
  }

  #wakeAt(at: Millis): void {
    if (this.#alarm !== null && this.#alarmAt <= at) return;
    const { access } = this.#environment;
    this.#wakeIn(Math.max(0, at - access.clock.earliest()));
    this.#alarmAt = at;
  }

  #wakeIn(ms: number): void {
    this.#alarm?.();
    this.#alarmAt = Infinity;
    this.#alarm = this.#environment.runtime.after(ms, () => {
      this.#alarm = null;
      this.look();
    });
  }

  async #work(taken: Taken): Promise<void> {
    const { taskId } = taken.task.claim;
    this.#active.set(taskId, taken);
    try {
      this.#released(await this.#release(taken));
    } catch (error) {
      await this.#giveUp(taken, error);
    }
    this.#active.delete(taskId);
    this.#pump();
  }

  async #giveUp({ task, lease }: Taken, error: unknown): Promise<void> {
    this.#failed.set(task.claim.taskId, lease);
    const { runId, workflow } = task.run;
    if (isPerdureError(error, "corrupt")) await blockUnreadable(this.#environment, task, error).catch(() => {});
    else this.#environment.logger.error("A run could not be carried on; it is tried again when its lease ends.", { runId, workflow, error });
  }

  async #release(taken: Taken): Promise<Release> {
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
    if ((release.to !== "parked" && release.to !== "blocked") || release.wakeAt === null || !this.#started) return;
    if (release.wakeAt <= this.#environment.access.clock.earliest()) this.#promising = true;
    else this.#wakeAt(release.wakeAt);
  }

  async #handBack({ task }: Taken): Promise<void> {
    const { access, runtime } = this.#environment;
    await access
      .commit({
        kind: "workflow",
        claim: task.claim,
        commitId: runtime.id(),
        expectedSeq: task.lastSeq,
        events: [],
        ackInbox: task.inboxAcked,
        next: { do: "park", wakeAt: access.clock.earliest() },
      })
      .catch(() => {});
  }
}

function isWorkflow(task: ClaimedTask): task is ClaimedWorkflowTask {
  return task.kind === "workflow";
}
