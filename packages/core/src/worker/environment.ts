import type { StorageAccess } from "../batch/storage-access.ts";
import type { Codec } from "../codec/codec.ts";
import type { Registry } from "../define/registry.ts";
import type { Logger } from "../model/logger.ts";
import type { Runtime } from "../model/runtime.ts";
import type { Subscription } from "../storage/operations.ts";
import type { Interceptor } from "./interceptor.ts";
import type { HistoryLimits } from "./history-limits.ts";
import type { Outage } from "./outage.ts";
import type { RunCache } from "./run-cache.ts";
import type { SentTasks } from "./sent-tasks.ts";
import type { Semaphore } from "./semaphore.ts";

/** What all runs that a worker holds share. */
export interface WorkerEnvironment {
  readonly access: StorageAccess;
  readonly runtime: Runtime;
  readonly codec: Codec;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly cache: RunCache;
  readonly slots: Semaphore;
  readonly leaseMs: number;
  readonly maxDeliveries: number;
  /** Whether this worker serves the queue. */
  readonly serves: (queue: string) => boolean;
  readonly historyLimits: HistoryLimits;
  readonly sentTasks: SentTasks;
  readonly outage: Outage;
  /** Hints, once the worker listens to any. */
  readonly hints: () => Subscription | null;
  readonly intercept: Interceptor | null;
}
