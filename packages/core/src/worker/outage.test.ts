import { describe, expect, it, onTestFinished } from "vitest";
import { environment, recordingLogger } from "../../test/environment.ts";
import { gate, type Intercept, intercepted, unavailable } from "../../test/intercepted.ts";
import { createClient } from "../client/client.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { StorageError } from "../errors/index.ts";
import { memory, type VirtualClock, virtualClock } from "../memory.ts";
import type { Runtime } from "../model/runtime.ts";
import type { StorageBackend } from "../storage.ts";
import { type VirtualRuntime, virtualRuntime } from "../testing/virtual-runtime.ts";
import type { WorkerOptions } from "./options.ts";
import { createWorker, type Worker } from "./worker.ts";

const quick = workflow({ name: "quick" }, async (ctx, n: number) => ctx.run("work", () => n * 2));

interface World {
  readonly clock: VirtualClock;
  readonly runtime: VirtualRuntime;
  readonly store: StorageBackend;
  /** Moves time in steps, and lets everything go on in between. */
  readonly pass: (ms: number, step?: number) => Promise<void>;
}

function world(): World {
  const clock = virtualClock();
  const runtime = virtualRuntime(clock, "outage");
  const store = memory({ clock });
  const pass = async (ms: number, step = 500): Promise<void> => {
    for (let passed = 0; passed < ms; passed += step) {
      clock.advance(step);
      await runtime.calm();
    }
  };
  return { clock, runtime, store, pass };
}

function running(
  { runtime }: World,
  options: Partial<WorkerOptions> & Pick<WorkerOptions, "storage">,
): { readonly worker: Worker; readonly working: Promise<void> } {
  const worker = createWorker({ workflows: [quick], runtime, logger: recordingLogger().logger, ...options });
  const working = worker.run();
  working.catch(() => {});
  onTestFinished(() => worker.stop({ grace: 0 }));
  return { worker, working };
}

describe("commits that are unavailable for many leases", () => {
  it("poison no run: all end when commits work again (I9)", async () => {
    const here = world();
    let isDown = true;
    let executed = 0;
    const work = workflow({ name: "work" }, (ctx, n: number) =>
      ctx.run("count", () => {
        executed++;
        return n;
      }),
    );
    for (let worker = 0; worker < 2; worker++) {
      const storage = intercepted(here.store, {
        commitTasks: (call) => (isDown ? Promise.reject(unavailable()) : call()),
      });
      running(here, { storage, workflows: [work], lease: "5s" });
    }
    const client = createClient({ storage: here.store, runtime: here.runtime });
    const runs = await Promise.all([0, 1, 2, 3].map((n) => client.start(work, n)));
    await here.pass(120_000);
    expect(await Promise.all(runs.map((run) => run.status()))).toEqual(["running", "running", "running", "running"]);
    expect((await client.list({ blocked: true })).runs).toEqual([]);
    isDown = false;
    await here.pass(5_000);
    expect(await Promise.all(runs.map((run) => run.status()))).toEqual(Array.from({ length: 4 }, () => "completed"));
    expect(await Promise.all(runs.map((run) => run.result()))).toEqual([0, 1, 2, 3]);
    expect(executed).toBe(4);
  });
});

describe("a storage that is not there at the start", () => {
  const down = (): Promise<never> => Promise.reject(unavailable());
  const beginnings: Record<string, (times: number) => Intercept> = {
    setup: (times) => ({ setup: (call, _, nth) => (nth <= times ? down() : call()) }),
    now: (times) => ({ now: (call, _, nth) => (nth <= times ? down() : call()) }),
    subscribe: (times) => ({ subscribe: (call, _, nth) => (nth <= times ? down() : call()) }),
  };

  it.each(Object.keys(beginnings).flatMap((verb) => [1, 2].map((times) => [verb, times] as const)))(
    "is waited for by worker.run: %s unavailable, %i times",
    async (verb, times) => {
      const here = world();
      const { working } = running(here, { storage: intercepted(here.store, beginnings[verb]!(times)) });
      let ended = false;
      void working.then(
        () => (ended = true),
        () => (ended = true),
      );
      const run = await createClient({ storage: here.store, runtime: here.runtime }).start(quick, 1);
      await here.pass(2_000);
      expect(ended).toBe(false);
      expect(await run.status()).toBe("completed");
    },
  );

  it("and never comes, does not keep worker.stop waiting", async () => {
    const here = world();
    const { worker, working } = running(here, { storage: intercepted(here.store, { setup: down }) });
    await here.pass(10_000);
    const stopping = worker.stop();
    await here.pass(1_000);
    await stopping;
    await expect(working).resolves.toBeUndefined();
  });

  it.each(["setup", "now", "subscribe"] as const)(
    "and never will be, makes worker.run reject: %s fatal",
    async (verb) => {
      const here = world();
      const fatal = (): Promise<never> => Promise.reject(new StorageError("schema-version", "Written by newer code."));
      const { working } = running(here, { storage: intercepted(here.store, { [verb]: fatal }) });
      await here.pass(1_000);
      await expect(working).rejects.toMatchObject({ code: "schema-version" });
    },
  );
});

describe("commits that are never answered", () => {
  it.each(["a fork to be copied", "a deadline that has passed", "a run that cannot start yet"])(
    "do not keep worker.stop waiting for longer than a lease: %s (I9)",
    async (what) => {
      const wait = workflow({ name: "wait" }, (ctx) => ctx.waitFor(signal<number>("go")));
      const { clock, runtime, store, pass } = world();
      const client = createClient({ storage: store, runtime });
      const source = await client.start(wait, undefined, {
        ...(what.includes("deadline") && { timeout: "1h" }),
        ...(what.includes("start") && { startAt: "1d" }),
      });
      const run = what.includes("fork") ? await source.fork() : source;
      await source.signal(signal<number>("go"), 1);
      if (what.includes("deadline")) clock.advance(3_600_000);
      let isDown = true;
      let commits = 0;
      const through = <R>(call: () => Promise<R>): Promise<R> => (isDown ? Promise.reject(unavailable()) : call());
      const storage = intercepted(store, {
        commitTasks: (call) => {
          commits++;
          return through(call);
        },
        renewLeases: through,
      });
      const { worker } = running({ clock, runtime, store, pass }, { storage, workflows: [wait], lease: "5s" });
      await pass(1_000);
      expect(commits).toBeGreaterThan(0);
      let stopped = false;
      void worker.stop({ grace: "1s" }).then(() => (stopped = true));
      await pass(5_000);
      expect(stopped).toBe(true);
      isDown = false;
      running({ clock, runtime, store, pass }, { storage: store, workflows: [wait] });
      await run.signal(signal<number>("go"), 2).catch(() => {});
      await pass(90_000_000, 1_000_000);
      expect(await run.status()).toBe(what.includes("deadline") ? "failed" : "completed");
    },
  );
});

describe("handle.result", () => {
  it("survives a subscription and a read that fail", async () => {
    const here = world();
    const failed: string[] = [];
    const fail = (verb: string): Promise<never> => {
      failed.push(verb);
      return Promise.reject(unavailable());
    };
    const storage = intercepted(here.store, {
      subscribe: (call, _, nth) => (nth === 1 ? fail("subscribe") : call()),
      getRun: (call, _, nth) => (nth === 1 ? fail("getRun") : call()),
    });
    const client = createClient({ storage, runtime: here.runtime });
    const run = await client.start(quick, 4);
    const result = run.result();
    result.catch(() => {});
    await here.runtime.calm();
    running(here, { storage: here.store });
    await here.pass(10_000);
    expect(failed).toEqual(["subscribe", "getRun"]);
    expect(await result).toBe(8);
    expect(await run.result()).toBe(8);
    await client.close();
  });
});

describe("a worker whose storage is away", () => {
  it("says so once, at its start and later, and says when it is back", async () => {
    const here = world();
    let isDown = true;
    const down = (call: () => Promise<unknown>): Promise<never> => {
      if (isDown) throw unavailable();
      return call() as Promise<never>;
    };
    const storage = intercepted(here.store, { setup: down, claimTasks: down });
    const { logger, logs } = recordingLogger();
    running(here, { storage, logger });
    await here.pass(5_000);
    const said = (): readonly unknown[] => logs.map(({ level, fields }) => `${level} ${String(fields["code"])}`);
    expect(said()).toEqual(["warn storage-unavailable"]);
    isDown = false;
    await here.pass(10_000);
    isDown = true;
    await here.pass(20_000);
    isDown = false;
    await here.pass(10_000);
    const outage = ["warn storage-unavailable", "info storage-available"];
    expect(said()).toEqual([...outage, ...outage]);
    expect(logs[1]!.fields["ms"]).toBeGreaterThanOrEqual(4_500);
  });
});

describe("a worker that is full and whose storage is away", () => {
  it("says so by its renewals, once", async () => {
    const here = world();
    let isDown = false;
    const down = (call: () => Promise<unknown>): Promise<never> => {
      if (isDown) throw unavailable();
      return call() as Promise<never>;
    };
    const finish = gate();
    const slow = workflow({ name: "slow" }, (ctx) => ctx.run("wait", () => finish.passed));
    const storage = intercepted(here.store, { claimTasks: down, renewLeases: down, commitTasks: down });
    const { logger, logs } = recordingLogger();
    running(here, { storage, logger, workflows: [slow], concurrency: 1, lease: "15s" });
    const run = await createClient({ storage: here.store, runtime: here.runtime }).start(slow, undefined);
    await here.pass(2_000);
    isDown = true;
    await here.pass(13_000);
    isDown = false;
    await here.pass(6_000);
    finish.open();
    await here.pass(1_000);
    expect(await run.status()).toBe("completed");
    expect(logs.map(({ fields }) => fields["code"])).toEqual(["storage-unavailable", "storage-available"]);
  });
});

describe("a worker that stops", () => {
  it("does not spin over a retry that is due while another activity still runs (I13)", async () => {
    const clock = virtualClock();
    const finish = gate();
    let attempts = 0;
    const flaky = activity({ name: "flaky", retry: { delay: "1s", jitter: 0 } }, async () => {
      if (++attempts === 1) throw new Error("not yet");
      return "flaky";
    });
    const two = workflow({ name: "two" }, (ctx) =>
      Promise.all([ctx.run(flaky, undefined), ctx.run("slow", () => finish.passed.then(() => "slow"))]),
    );
    const env = environment({ workflows: [two], clock });
    const run = await env.client.start(two, undefined);
    let timers = 0;
    const runtime: Runtime = {
      ...env.runtime,
      after: (...args) => {
        timers++;
        return env.runtime.after(...args);
      },
    };
    const worker = createWorker({ storage: env.storage, runtime, workflows: [two], logger: recordingLogger().logger });
    const working = worker.run();
    await env.runtime.calm();
    const stopping = worker.stop({ grace: "1m" });
    clock.advance(2_000);
    await env.runtime.calm();
    timers = 0;
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => void setImmediate(resolve));
    expect(timers).toBeLessThanOrEqual(2);
    expect(attempts).toBe(1);
    finish.open();
    await stopping;
    await working;
    await env.skip("1s");
    expect(await run.result()).toEqual(["flaky", "slow"]);
  });
});
