import type { Client } from "../client/client.ts";
import type { RunHandle } from "../client/handle.ts";
import type { Activity, AnyActivity } from "../define/activity.ts";
import type { ActivityContext } from "../define/activity-context.ts";
import type { VirtualClock } from "../memory/clock.ts";
import type { Duration } from "../model/duration.ts";
import type { Runtime } from "../model/runtime.ts";
import type { StorageBackend } from "../storage/backend.ts";
import type { WorkerOptions } from "../worker/options.ts";
import type { Worker } from "../worker/worker.ts";
import type { CrashAfterOptions, CrashAtOptions, CrashBeforeOptions, PlannedCrash } from "./crashes.ts";
import type { Mock } from "./mocks.ts";
import type { RunHistory } from "./run-history.ts";

/** Makes a storage whose time is the clock's. */
export type MakeStorage = (clock: VirtualClock) => StorageBackend;

/**
 * What a test works with. Everything but `workflows` has a default. That of `logger` is the console, without the warnings of failed
 * attempts and runs.
 */
export interface TestEnvironmentOptions extends Omit<WorkerOptions, "storage" | "runtime"> {
  /**
   * A function makes one of the environment's own, which is closed with it; one that is passed is closed by whoever made it, and its
   * time must be that of `clock`. Default: memory.
   */
  readonly storage?: StorageBackend | MakeStorage;
  readonly clock?: VirtualClock;
  /** Reproduces ids, jitter and all other chance. Environments that share a store need different ones. */
  readonly seed?: string;
  /** What a call of an activity that is not mocked does: `throw` for tests that must not touch the world outside. Default `run`. */
  readonly unmocked?: "run" | "throw";
}

/** What a new worker is told differently. */
export type RestartOptions = Partial<Omit<WorkerOptions, "storage" | "runtime" | "codec">>;

/** A client and a worker over one store, in virtual time: days pass when the test says so, and cost nothing. */
export interface TestEnvironment {
  readonly storage: StorageBackend;
  readonly clock: VirtualClock;
  /** For further clients and workers over {@link storage}. */
  readonly runtime: Runtime;
  readonly client: Client;
  /** The one that runs now; after `crash()`, the one that has crashed. */
  readonly worker: Worker;

  /** Lets the worker work until nothing is ready, however long its activities take. No virtual time passes. */
  runUntilIdle(): Promise<void>;
  /**
   * Lets virtual time pass: stops wherever a timer, a retry, a deadline or a lease is due, and runs until idle there. An activity
   * that is still running after 20 ms of real time in which nothing happened, in a `setTimeout` or a request of its own, is taken
   * to wait for virtual time: it goes on, and the activity may time out. Mock such an activity.
   */
  skip(time: Duration): Promise<void>;
  /**
   * Lets virtual time pass until the run has ended, as {@link skip} does, and answers its output.
   *
   * @throws RunFailedError, RunCancelledError; AssertionError when it waits for something that no time brings, or has not ended
   * `within` (default 365 days)
   */
  result<Output>(run: RunHandle<Output>, options?: { readonly within?: Duration }): Promise<Output>;

  /** What has happened in a run so far, for assertions. A child's id is in its parent's history. */
  history(run: { readonly runId: string } | string): Promise<RunHistory>;
  /** The same as text with a line for each event, for snapshots. */
  timeline(run: { readonly runId: string } | string): Promise<string>;

  /**
   * Replaces the code of an activity, for all calls from now on. Everything around it stays: retries, time-outs, schemas. A new mock
   * takes the place of the old one.
   *
   * @example
   * const charged = env.mock(charge, async ({ orderId }, { attempt }) => {
   *   if (attempt < 3) throw new Error("The bank is busy.");
   *   return { receipt: orderId };
   * });
   * console.log(charged.calls.length);
   */
  mock<Input, Output, Received>(
    activity: Activity<Input, Output, Received>,
    execute: (input: Received, context: ActivityContext) => NoInfer<Output> | Promise<NoInfer<Output>>,
  ): Mock<Received, Awaited<Output>>;
  /** Replaces the function of every `ctx.run(name, …)`, or of a definition by its name. A function gets no input. */
  mock(name: string, execute: (input: unknown, context: ActivityContext) => unknown): Mock;
  /** Gives an activity its own code back. */
  unmock(activity: AnyActivity | string): void;

  /**
   * Kills the worker, as by SIGKILL: it writes nothing any more, its runs in memory and its timers are gone, and what it held is
   * free when its leases have run out. Activities that run go on, but nobody hears of their end. No other worker starts before
   * {@link restart}.
   */
  crash(): void;
  /** Kills the worker when it is about to execute an activity. As after all planned crashes, a new one takes its place at once. */
  crashBefore(activity: AnyActivity | string, options?: CrashBeforeOptions): PlannedCrash;
  /**
   * Kills the worker when it has executed an activity, successfully or not, and history does not have it yet: the attempt is made
   * again. With `recorded`, when history has it: it is not.
   *
   * @example
   * const crash = env.crashAfter(charge);
   * await env.client.start(order, { orderId: "o-1" });
   * await env.skip("1m"); // the lease of the dead worker runs out
   * console.log(crash.happened);
   */
  crashAfter(activity: AnyActivity | string, options?: CrashAfterOptions): PlannedCrash;
  /** Kills the worker at its nth write from now on: at every point where a crash makes a difference. See {@link everyCrash}. */
  crashAt(nth: number, options?: CrashAtOptions): PlannedCrash;
  /**
   * Starts a new worker, with other workflows for example, as a deploy does. One that is alive gives back what it holds first;
   * activities that wait for virtual time are aborted. Options stay until they are given anew.
   */
  restart(options?: RestartOptions): Promise<void>;

  /** Stops the worker and closes what the environment made. */
  close(): Promise<void>;
}
