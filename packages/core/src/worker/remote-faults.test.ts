import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { gate, type Intercept, intercepted, unavailable } from "../../test/intercepted.ts";
import { pass, running, type RunningWorker } from "../../test/workers.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import type { StorageBackend } from "../storage.ts";
import { createWorker } from "./worker.ts";

const go = signal("go");
const VERBS = [
  "claimTasks",
  "commitTasks",
  "renewLeases",
  "deliver",
  "readEvents",
  "getRun",
  "readCache",
  "writeCache",
] as const;

/** What happens around one call of a worker to its storage. */
type Around = (call: () => Promise<never>, nth: number) => Promise<never>;

/** Sees all calls of one worker, with one count. */
function around(storage: StorageBackend, act: Around): StorageBackend {
  let calls = 0;
  const through = (call: () => Promise<never>): Promise<never> => act(call, ++calls);
  return intercepted(storage, Object.fromEntries(VERBS.map((verb) => [verb, through])) as Intercept);
}

type Who = "holder" | "executor";

interface Played {
  /** Which call was the faulty one, and what of it failed. */
  readonly fault: string;
  readonly result: unknown;
  readonly executed: readonly string[];
  /** How many activities were recorded as scheduled, and as completed. */
  readonly recorded: readonly [scheduled: number, completed: number];
}

/** A run that needs another worker for most of its activities, one of which fails at first, and what became of it. */
async function play(
  fault: string,
  cacheRuns: number,
  meet: (who: Who, world: Staff) => Around | null,
): Promise<Played> {
  const executed: string[] = [];
  const retry = { delay: "1s", jitter: 0 } as const;
  const work = activity({ name: "work", queue: "elsewhere", retry }, async (name: string, { attempt }) => {
    executed.push(`${name}${attempt}`);
    if (name === "b" && attempt === 1) throw new Error("no");
    return name;
  });
  const job = workflow({ name: "job" }, async (ctx) => {
    const both = await Promise.all([ctx.run(work, "a"), ctx.run(work, "b")]);
    await ctx.sleep("1s");
    return [...both, await ctx.run(work, "c"), await ctx.run("here", () => "d")];
  });
  const clock = virtualClock();
  const store = memory({ clock });
  const env = environment({ workflows: [job], storage: store, clock });
  const hire = (who: Who, act: Around | null): RunningWorker =>
    running(env, {
      storage: act === null ? store : around(store, act),
      lease: "3s",
      cacheRuns,
      ...(who === "holder" ? { workflows: [job] } : { queues: ["elsewhere"], activities: [work] }),
    });
  const run = await env.client.start(job, undefined);
  for (const who of ["holder", "executor"] as const) {
    const staff: Staff = {
      replace: () => {
        worker.kill();
        hire(who, null);
      },
    };
    const worker = hire(who, meet(who, staff));
  }
  await pass(env, "30s");
  const types = (await run.history()).map(({ type }) => type);
  const count = (wanted: string): number => types.filter((type) => type === wanted).length;
  const result = (await run.status()) === "completed" ? await run.result() : await run.describe();
  return { fault, result, executed, recorded: [count("ACTIVITY_SCHEDULED"), count("ACTIVITY_COMPLETED")] };
}

interface Staff {
  /** Kills the worker, and hires another. */
  readonly replace: () => void;
}

/** Plays once for every call of one worker: that call gets no answer, is not even applied, or is the last one of its worker. */
async function* faults(cacheRuns: number, faulty: Who, kind: "unanswered" | "deadly"): AsyncGenerator<Played> {
  for (const applied of [true, false]) {
    for (let faulted = 1, fired = true; fired; faulted++) {
      fired = false;
      yield await play(`call ${faulted} ${applied ? "applied" : "not applied"}`, cacheRuns, (who, { replace }) => {
        if (who !== faulty) return null;
        return async (call, nth) => {
          if (nth !== faulted) return call();
          fired = true;
          if (applied) await call();
          if (kind === "deadly") replace();
          throw unavailable();
        };
      });
    }
  }
}

describe.each(CACHES)("activities of other workers, with %i runs kept in memory", (cacheRuns) => {
  const RESULT = ["a", "b", "c", "d"];
  const EXECUTED = ["a1", "b1", "b2", "c1"];

  it.each(["holder", "executor"] as const)(
    "every n-th call of the %s applied and unanswered, or not applied: the same outcome, nothing executed twice (I12)",
    async (who) => {
      for await (const { executed, ...played } of faults(cacheRuns, who, "unanswered")) {
        expect({ ...played, executed: executed.toSorted() }).toEqual({
          fault: played.fault,
          result: RESULT,
          executed: EXECUTED,
          recorded: [3, 4],
        });
      }
    },
  );

  it("whoever executes dies before or after its n-th call: another goes on, each call has one outcome (I12, I13)", async () => {
    for await (const { executed, ...played } of faults(cacheRuns, "executor", "deadly")) {
      expect({ ...played, executed: new Set(executed) }).toEqual({
        fault: played.fault,
        result: RESULT,
        executed: new Set(EXECUTED),
        recorded: [3, 4],
      });
      // One crash, with at most two activities under way.
      expect(executed.length).toBeLessThanOrEqual(EXECUTED.length + 2);
    }
  });

  it("whoever holds the run dies before or after its n-th call: the next one waits for what goes on elsewhere (I12, I13)", async () => {
    for await (const played of faults(cacheRuns, "holder", "deadly")) {
      expect(played).toEqual({ fault: played.fault, result: RESULT, executed: EXECUTED, recorded: [3, 4] });
    }
  });

  it("an outcome that arrives before, in or after any call of the run's holder is heard at once (I11)", async () => {
    for (const before of [true, false]) {
      for (let nth = 1, fired = true; fired; nth++) {
        fired = false;
        const finish = gate();
        const work = activity({ name: "work", queue: "elsewhere" }, () => finish.passed.then(() => "done"));
        const job = workflow({ name: "job" }, async (ctx) => {
          const outcome = ctx.run(work, undefined);
          await ctx.run("quick", () => 1);
          await ctx.waitFor(go);
          return outcome;
        });
        const clock = virtualClock();
        const store = memory({ clock });
        const env = environment({ workflows: [job], storage: store, clock });
        const arrive = async (): Promise<void> => {
          fired = true;
          finish.open();
          // The call takes as long as the outcome needs.
          for (let turn = 0; turn < 20; turn++) {
            env.runtime.stir();
            await new Promise((resolve) => void setImmediate(resolve));
          }
        };
        running(env, {
          workflows: [job],
          cacheRuns,
          storage: around(store, async (call, count) => {
            if (count === nth && before) await arrive();
            const answer = await call();
            if (count === nth && !before) await arrive();
            return answer;
          }),
        });
        running(env, { queues: ["elsewhere"], activities: [work] });
        const run = await env.client.start(job, undefined);
        await env.runtime.calm();
        await run.signal(go, undefined);
        await pass(env, "100ms");
        if (!fired) break;
        expect([nth, before, await run.status()]).toEqual([nth, before, "completed"]);
        expect(await run.result()).toBe("done");
      }
    }
  });
});

describe("a worker that executes an activity for another", () => {
  it("does not begin when the answer to its claim took longer than its lease (I13)", async () => {
    const executed: string[] = [];
    const work = (by: string) => activity({ name: "work", queue: "elsewhere" }, async () => void executed.push(by));
    const job = workflow({ name: "job" }, (ctx) => ctx.run(work("x"), undefined));
    const clock = virtualClock();
    const store = memory({ clock });
    const env = environment({ workflows: [job], storage: store, clock });
    const answer = gate();
    let isSlow = true;
    const storage = intercepted(store, {
      claimTasks: async (call) => {
        const result = await call();
        if (isSlow && result.tasks.length > 0) {
          isSlow = false;
          await answer.passed;
        }
        return result;
      },
    });
    running(env, { queues: ["elsewhere"], activities: [work("slow")], storage, lease: "2s" });
    running(env, { workflows: [job] });
    const run = await env.client.start(job, undefined);
    await env.runtime.calm();
    env.clock.advance(2_500);
    const other = running(env, { queues: ["elsewhere"], activities: [work("other")] });
    await env.runtime.calm();
    answer.open();
    await pass(env, "10s");
    expect(executed).toEqual(["other"]);
    expect(await run.status()).toBe("completed");
    await other.worker.stop();
  });

  it("does not begin what waited for a slot when its lease has ended meanwhile (I13)", async () => {
    const finish = gate();
    const executed: string[] = [];
    const work = (by: string) =>
      activity({ name: "work", queue: "elsewhere" }, async (n: number) => {
        executed.push(`${by} ${n}`);
        if (executed.length === 1) await finish.passed;
      });
    const job = workflow({ name: "job" }, (ctx) => Promise.all([ctx.run(work("x"), 1), ctx.run(work("x"), 2)]));
    const env = environment({ workflows: [job] });
    running(env, { workflows: [job] });
    const run = await env.client.start(job, undefined);
    await env.runtime.calm();
    const first = createWorker({
      storage: env.storage,
      // The process is asleep: its timers do not fire.
      runtime: { ...env.runtime, after: () => () => {} },
      workflows: [],
      queues: ["elsewhere"],
      activities: [work("first")],
      lease: "2s",
      concurrency: { runs: 9, activities: 1 },
    });
    const once = first.runOnce();
    await env.runtime.calm();
    expect(executed).toEqual(["first 1"]);
    env.clock.advance(2_000);
    finish.open();
    expect(await once).toBe(2);
    expect(executed).toEqual(["first 1"]);
    running(env, { queues: ["elsewhere"], activities: [work("other")] });
    await pass(env, "1s");
    expect(executed).toEqual(["first 1", "other 2"]);
    expect(await run.status()).toBe("completed");
  });

  it("and claims it again because its lease ended unnoticed, aborts what it was doing (I8)", async () => {
    const aborted: string[] = [];
    const attempts: number[] = [];
    const work = activity({ name: "work", queue: "elsewhere" }, async (_: undefined, { attempt, signal: fired }) => {
      if (attempts.push(attempt) > 1) return "second";
      fired.addEventListener("abort", () => aborted.push((fired.reason as Error).message));
      return new Promise<string>(() => {});
    });
    const job = workflow({ name: "job" }, (ctx) => ctx.run(work, undefined));
    const env = environment({ workflows: [job] });
    running(env, { workflows: [job] });
    // The process was asleep: none of its timers has fired when it hears of new work.
    const runtime = { ...env.runtime, after: () => () => {} };
    running(env, { queues: ["elsewhere"], activities: [work], runtime, lease: "2s" });
    const run = await env.client.start(job, undefined);
    await env.runtime.calm();
    env.clock.advance(2_000);
    await env.client.start(job, undefined);
    await env.runtime.calm();
    expect(attempts).toEqual([1, 1, 1]);
    expect(aborted).toHaveLength(1);
    expect(await run.result()).toBe("second");
  });

  it("can be stopped while the storage does not take the outcome: it gives up when its lease is over", async () => {
    const work = activity({ name: "work", queue: "elsewhere" }, async () => "done");
    const job = workflow({ name: "job" }, (ctx) => ctx.run(work, undefined));
    const env = environment({ workflows: [job] });
    let isDown = true;
    const storage = intercepted(env.storage, {
      commitTasks: (call) => (isDown ? Promise.reject(unavailable()) : call()),
      renewLeases: (call) => (isDown ? Promise.reject(unavailable()) : call()),
    });
    running(env, { workflows: [job] });
    const { worker } = running(env, { queues: ["elsewhere"], activities: [work], storage, lease: "5s" });
    const run = await env.client.start(job, undefined);
    await pass(env, "1s");
    let stopped = false;
    void worker.stop({ grace: "1s" }).then(() => (stopped = true));
    await pass(env, "3s");
    expect(stopped).toBe(false);
    await pass(env, "2s");
    expect(stopped).toBe(true);
    running(env, { queues: ["elsewhere"], activities: [work] });
    await pass(env, "1s");
    expect(await run.result()).toBe("done");
    isDown = false;
    await pass(env, "5s");
    expect((await run.history()).filter(({ type }) => type === "ACTIVITY_COMPLETED")).toHaveLength(1);
  });
});
