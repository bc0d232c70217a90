import type { Codec } from "../codec/codec.ts";
import { requireName } from "../define/require-name.ts";
import type { AnyActivity } from "../define/activity.ts";
import type { AnyWorkflow } from "../define/workflow.ts";
import { UsageError } from "../errors/index.ts";
import { requireDuration } from "../errors/require-duration.ts";
import { requireOptions } from "../errors/require-options.ts";
import type { Duration } from "../model/duration.ts";
import type { Logger } from "../model/logger.ts";
import type { Runtime } from "../model/runtime.ts";
import type { StorageBackend } from "../storage/backend.ts";
import { LEASE_MS } from "../storage/validate.ts";
import { type HistoryLimits, requireHistoryLimits } from "./history-limits.ts";

/** How a worker works. */
export interface WorkerOptions {
  readonly storage: StorageBackend;
  /** Runs of other workflows are left to other workers. */
  readonly workflows: readonly AnyWorkflow[];
  /**
   * Executes these for other workers too: those that do not serve an activity's queue, and those that have no slot free. Activities of
   * the worker's own runs need not be listed; when they are, and no slot is free, they go out to whoever lists them. Transactional ones
   * always go out: some worker has to list them.
   */
  readonly activities?: readonly AnyActivity[];
  /** Default: `default`. */
  readonly queues?: readonly string[];
  /** Runs and activities at a time; one number is both. Default 100. */
  readonly concurrency?: number | { readonly runs: number; readonly activities: number };
  /** How long a crashed worker's runs stay its own: 300 ms … 1 h. Default 15 s. */
  readonly lease?: Duration;
  /** Parked runs kept in memory. Default 1000; 0 replays every run from its history at every turn. */
  readonly cacheRuns?: number;
  /**
   * A run that was handed out this often without a commit is blocked as poisoned; an activity of another worker's run, handed out
   * this often for one attempt without an end, fails as poisoned. Default 5.
   */
  readonly maxDeliveries?: number;
  /** How long histories may become before a run should have continued as new. */
  readonly historyLimits?: Partial<HistoryLimits>;
  /** The codec that the clients use. */
  readonly codec?: Codec;
  /**
   * Gets warnings of failed attempts (`code: "attempt-failed"`, also of those that are tried again), failed runs (`run-failed`), blocked
   * runs and whatever else needs a person. Default: the console, where `debug` is silent.
   */
  readonly logger?: Logger;
  /** Time and randomness, for tests. */
  readonly runtime?: Runtime;
}

/** Options with their defaults. */
export interface WorkerSettings {
  readonly queues: readonly string[];
  readonly runs: number;
  readonly activities: number;
  readonly leaseMs: number;
  readonly cacheRuns: number;
  readonly maxDeliveries: number;
  readonly historyLimits: HistoryLimits;
}

const OPTIONS = {
  storage: true,
  workflows: true,
  activities: true,
  queues: true,
  concurrency: true,
  lease: true,
  cacheRuns: true,
  maxDeliveries: true,
  historyLimits: true,
  codec: true,
  logger: true,
  runtime: true,
} as const;

/** @throws UsageError `invalid-argument` */
export function requireWorkerSettings(options: WorkerOptions): WorkerSettings {
  requireOptions(options, "createWorker", OPTIONS);
  const { concurrency = 100, queues = ["default"] } = options;
  if (typeof concurrency === "object")
    requireOptions(concurrency, "concurrency of createWorker", { runs: true, activities: true });
  const { runs, activities } =
    typeof concurrency === "object" ? concurrency : { runs: concurrency, activities: concurrency };
  const leaseMs = requireDuration(options.lease ?? "15s", "lease of the worker");
  if (leaseMs < LEASE_MS.min || leaseMs > LEASE_MS.max) {
    throw new UsageError(
      "invalid-argument",
      `The lease of a worker must be from 300 ms to 1 h, not ${leaseMs} ms. Leave it out for 15 s.`,
    );
  }
  if (!Array.isArray(queues) || queues.length === 0)
    throw new UsageError(
      "invalid-argument",
      "The `queues` of a worker must be a list with at least one. Leave them out for the default one.",
    );
  return {
    queues: [...new Set(queues.map((queue) => requireName(queue, "name of a queue")))],
    runs: requireCount(runs, "concurrency.runs", 1),
    activities: requireCount(activities, "concurrency.activities", 1),
    leaseMs,
    cacheRuns: requireCount(options.cacheRuns ?? 1_000, "cacheRuns", 0),
    maxDeliveries: requireCount(options.maxDeliveries ?? 5, "maxDeliveries", 1),
    historyLimits: requireHistoryLimits(options.historyLimits),
  };
}

function requireCount(count: number, name: string, least: number): number {
  if (Number.isSafeInteger(count) && count >= least) return count;
  throw new UsageError(
    "invalid-argument",
    `${name} of a worker must be a whole number of at least ${least}, not ${String(count)}. Leave it out for the default.`,
  );
}
