import type { StorageAccess } from "../batch/storage-access.ts";
import type { Millis } from "../model/ids.ts";
import type { Logger } from "../model/logger.ts";
import type { Runtime } from "../model/runtime.ts";
import type { NewActivityTask } from "../storage/task.ts";

/** A task that is ready for so long has perhaps nobody who takes it. */
const PATIENCE_MS = 60_000;

/**
 * The queues to which this worker sends activities: warns when tasks lie there that nobody takes. An activity that was renamed or
 * taken out of the workers that execute it leaves its runs waiting, and somebody should know.
 */
export class SentTasks {
  readonly #access: StorageAccess;
  readonly #runtime: Runtime;
  readonly #logger: Logger;
  /** Names of the activities that were sent to each queue since nothing lay there. */
  readonly #queues = new Map<string, Set<string>>();
  readonly #warned = new Set<string>();
  #callOff: (() => void) | null = null;

  constructor(access: StorageAccess, runtime: Runtime, logger: Logger) {
    this.#access = access;
    this.#runtime = runtime;
    this.#logger = logger;
  }

  sent(tasks: readonly NewActivityTask[]): void {
    for (const { queue, activity } of tasks) {
      const names = this.#queues.get(queue);
      if (names === undefined) this.#queues.set(queue, new Set([activity]));
      else names.add(activity);
    }
    if (this.#queues.size > 0) this.#lookLater();
  }

  stop(): void {
    this.#callOff?.();
    this.#callOff = null;
  }

  #lookLater(): void {
    this.#callOff ??= this.#runtime.after(
      PATIENCE_MS,
      () => {
        this.#callOff = null;
        // Who cannot look now looks again after the next task.
        this.#look().catch(() => {});
      },
      { poll: true },
    );
  }

  async #look(): Promise<void> {
    const { now, queues } = await this.#access.storage.stats();
    for (const [queue, names] of this.#queues) {
      const stats = queues.find((one) => one.queue === queue && one.kind === "activity");
      if (stats === undefined || stats.ready === 0) {
        this.#queues.delete(queue);
        this.#warned.delete(queue);
      } else if (now - stats.oldestReadyAt! >= PATIENCE_MS) this.#warn(queue, names, stats.ready, stats.oldestReadyAt!);
    }
    if (this.#queues.size > 0) this.#lookLater();
  }

  #warn(queue: string, names: ReadonlySet<string>, ready: number, since: Millis): void {
    if (this.#warned.has(queue)) return;
    this.#warned.add(queue);
    const activities = [...names];
    const sent = activities.map((name) => `"${name}"`).join(", ");
    this.#logger.warn(
      `Nobody has taken ${ready} activity tasks of queue "${queue}", the oldest since ${new Date(since).toISOString()}; their runs wait. This worker sent ${sent} there: run a worker that serves the queue and lists them in \`activities\`, or more of those.`,
      { code: "tasks-wait", queue, activities, ready },
    );
  }
}
