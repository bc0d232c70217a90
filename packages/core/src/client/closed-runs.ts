import type { StorageAccess } from "../batch/storage-access.ts";
import { isPerdureError } from "../errors/index.ts";
import type { Subscription } from "../storage/operations.ts";

/** A handle that hears nothing looks again after about this long. */
const FLOOR_MS = { push: 5_000, "in-process": 5_000, none: 100 } as const;

/** Wakes those who wait for a run to close: by hint, and by a slow look of their own in case one is lost. */
export class ClosedRuns {
  readonly #access: StorageAccess;
  readonly #waiting = new Map<string, Set<() => void>>();
  #subscription: Promise<Subscription | null> | null = null;

  constructor(access: StorageAccess) {
    this.#access = access;
  }

  /** Calls `look` now, and whenever the run may have closed, until it answers something or `signal` fires. */
  async until<T>(runId: string, look: () => Promise<T | undefined>, signal: AbortSignal | undefined): Promise<T> {
    const subscription = await this.#subscribe();
    const { runtime, storage } = this.#access;
    const floorMs = FLOOR_MS[storage.info.capabilities.wakeups];
    let hinted = false;
    let wake: (() => void) | null = null;
    const hint = (): void => {
      hinted = true;
      wake?.();
    };
    this.#listen(subscription, runId, hint);
    signal?.addEventListener("abort", hint);
    try {
      for (;;) {
        hinted = false;
        signal?.throwIfAborted();
        const found = await look().catch(waitIfUnavailable);
        if (found !== undefined) return found;
        if (hinted) continue;
        await new Promise<void>((resolve) => {
          const cancel = runtime.after(floorMs * (0.75 + runtime.random() / 2), resolve, { poll: true });
          wake = () => {
            cancel();
            resolve();
          };
        });
      }
    } finally {
      signal?.removeEventListener("abort", hint);
      this.#forget(subscription, runId, hint);
    }
  }

  async close(): Promise<void> {
    const subscription = await this.#subscription;
    this.#subscription = null;
    await subscription?.close();
  }

  #subscribe(): Promise<Subscription | null> {
    const { storage } = this.#access;
    this.#subscription ??=
      storage.subscribe === undefined
        ? Promise.resolve(null)
        : storage.subscribe((topic) => {
            if (topic.of === "closed") for (const hint of this.#waiting.get(topic.runId) ?? []) hint();
          });
    // Without hints the slow look remains; the next one who waits subscribes again.
    return this.#subscription.catch((error: unknown) => {
      this.#subscription = null;
      return waitIfUnavailable(error) ?? null;
    });
  }

  #listen(subscription: Subscription | null, runId: string, hint: () => void): void {
    const waiting = this.#waiting.get(runId);
    if (waiting !== undefined) {
      waiting.add(hint);
      return;
    }
    this.#waiting.set(runId, new Set([hint]));
    subscription?.add({ of: "closed", runId });
  }

  #forget(subscription: Subscription | null, runId: string, hint: () => void): void {
    const waiting = this.#waiting.get(runId);
    waiting?.delete(hint);
    if (waiting === undefined || waiting.size > 0) return;
    this.#waiting.delete(runId);
    subscription?.delete({ of: "closed", runId });
  }
}

/** A storage that is unavailable is waited for. */
function waitIfUnavailable(error: unknown): undefined {
  if (!isPerdureError(error, "unavailable")) throw error;
}
