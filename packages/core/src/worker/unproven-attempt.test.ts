import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { intercepted } from "../../test/intercepted.ts";
import { activity } from "../define/activity.ts";
import { workflow } from "../define/workflow.ts";
import type { TestEnvironment } from "../testing.ts";
import { createWorker, type Worker } from "./worker.ts";

/** A worker whose event loop is blocked for longer than its lease while its first read of a cache is answered. */
function stalling(env: TestEnvironment, options: Parameters<typeof createWorker>[0]): Worker {
  let stalledMs = 0;
  const storage = intercepted(env.storage, {
    readCache: async (call) => {
      const entry = await call();
      stalledMs = 11_000;
      return entry;
    },
  });
  const monotonic = (): number => env.runtime.monotonic() + stalledMs;
  return createWorker({ ...options, storage, runtime: { ...env.runtime, monotonic }, lease: "10s" });
}

describe("an attempt that was not begun before its lease could not be proven any more", () => {
  it.each(["of its run's", "of its own"])("is left to the next holder: lease %s (I6, I13)", async (whose) => {
    const executed: string[] = [];
    const where = whose === "of its own" ? { queue: "remote" } : {};
    const cached = activity(
      { name: "cached", cache: { key: () => "key" }, ...where },
      async () => void executed.push("once"),
    );
    const calling = workflow({ name: "calling" }, (ctx) => ctx.run(cached, undefined));
    const env = environment({ workflows: [calling], activities: [cached] });
    const run = await env.client.start(calling, undefined);
    const options = { storage: env.storage, workflows: [calling], activities: [cached] };
    if (whose === "of its own") {
      await createWorker({ ...options, runtime: env.runtime }).runOnce();
      await stalling(env, { ...options, workflows: [], queues: ["remote"] }).runOnce();
    } else await stalling(env, options).runOnce();
    expect(executed).toEqual([]);

    env.clock.advance(10_000);
    await createWorker({ ...options, runtime: env.runtime, queues: ["default", "remote"] }).runOnce();
    await createWorker({ ...options, runtime: env.runtime, queues: ["default", "remote"] }).runOnce();
    expect(await run.status()).toBe("completed");
    expect(executed).toEqual(["once"]);
  });
});
