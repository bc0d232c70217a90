/** Further workers over the storage of a test environment. */
import { onTestFinished } from "vitest";
import { StorageError } from "../src/errors/index.ts";
import { type Duration, parseDuration } from "../src/model/duration.ts";
import type { StorageBackend } from "../src/storage.ts";
import type { TestEnvironment } from "../src/testing.ts";
import type { WorkerOptions } from "../src/worker/options.ts";
import { createWorker, type Worker } from "../src/worker/worker.ts";
import { recordingLogger, type TestedEnvironment } from "./environment.ts";

export interface RunningWorker {
  readonly worker: Worker;
  /** What `worker.run` answered. */
  readonly working: Promise<void>;
  /** Cuts it off from its storage for ever, as if its process had died. Its code does not notice. */
  kill(): void;
}

/** Works until the test ends. Serves activities alone, unless told otherwise. */
export function running(env: TestEnvironment, options: Partial<WorkerOptions>): RunningWorker {
  const { storage, kill } = mortal(options.storage ?? env.storage);
  const { logger } = recordingLogger();
  const worker = createWorker({ runtime: env.runtime, workflows: [], logger, ...options, storage });
  const working = worker.run();
  working.catch(() => {});
  onTestFinished(() => worker.stop({ grace: 0 }));
  return { worker, working, kill };
}

function mortal(storage: StorageBackend): { readonly storage: StorageBackend; readonly kill: () => void } {
  let isDead = false;
  const die = (): never => {
    throw new StorageError("misconfigured", "This worker is dead.");
  };
  const guarded = new Proxy(storage, {
    get(target, key: keyof StorageBackend) {
      const member: unknown = target[key];
      if (typeof member !== "function" || key === "partOf") return member;
      return async (...args: readonly unknown[]) => {
        if (isDead) die();
        const answer: unknown = await member.apply(target, args);
        return isDead ? die() : answer;
      };
    },
  });
  return {
    storage: guarded,
    kill: () => {
      isDead = true;
    },
  };
}

/** Lets time pass for all workers that run, from timer to timer, and at least as often as they look by themselves. */
export async function pass({ clock, runtime }: TestedEnvironment, time: Duration): Promise<void> {
  const until = clock.now() + parseDuration(time)!;
  for (;;) {
    await runtime.calm();
    if (clock.now() >= until) return;
    const next = Math.min(runtime.nextDueAt() ?? Infinity, clock.now() + 1_000);
    clock.set(Math.min(Math.max(next, clock.now() + 1), until));
  }
}
