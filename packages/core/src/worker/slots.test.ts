import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { range, slots } from "../../test/fan-out.ts";
import { gate } from "../../test/intercepted.ts";
import { pass, running } from "../../test/workers.ts";
import { activity } from "../define/activity.ts";
import { workflow } from "../define/workflow.ts";

describe("slots", () => {
  it("inline activities and those of others share them: never more at once than concurrency.activities", async () => {
    const finish = gate();
    let at = 0;
    let most = 0;
    const busy = async (): Promise<void> => {
      most = Math.max(most, ++at);
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => void setImmediate(resolve));
      at--;
    };
    const remote = activity({ name: "remote", queue: "elsewhere" }, busy);
    const asking = workflow({ name: "asking" }, (ctx) => Promise.all(range(50).map(() => ctx.run(remote, undefined))));
    const own = workflow({ name: "own" }, (ctx) => Promise.all(range(20).map((n) => ctx.run(`own ${n}`, busy))));
    const env = environment({ workflows: [asking, own] });
    running(env, { workflows: [asking] });
    const runs = [];
    for (const definition of [asking, own, own, asking, own]) runs.push(await env.client.start(definition, undefined));
    await env.runtime.calm();
    running(env, { workflows: [own], activities: [remote], queues: ["default", "elsewhere"], ...slots(7) });
    finish.open();
    await pass(env, "10s");
    expect(await Promise.all(runs.map((run) => run.status()))).toEqual(runs.map(() => "completed"));
    expect(most).toBe(7);
  });

  it("a run that waits for one hears what comes to it as soon as any other (I11)", async () => {
    const finish = gate();
    const remote = activity({ name: "remote", queue: "elsewhere" }, async () => "remote");
    const hog = workflow({ name: "hog" }, (ctx) => ctx.run("hog", () => finish.passed));
    const waiting = workflow({ name: "waiting" }, async (ctx) => {
      const local = ctx.run("local", () => "local").catch(() => "cancelled");
      return Promise.race([local, ctx.run(remote, undefined)]);
    });
    const env = environment({ workflows: [hog, waiting] });
    running(env, { workflows: [hog, waiting], ...slots(1) });
    await env.client.start(hog, undefined);
    const run = await env.client.start(waiting, undefined);
    await pass(env, "100ms");
    running(env, { queues: ["elsewhere"], activities: [remote] });
    await pass(env, "100ms");
    expect(await run.result()).toBe("remote");
    finish.open();
  });

  it("of a worker whose activities fail, time out, are cancelled or lost become free again", async () => {
    let round = 0;
    const work = activity(
      { name: "work", queue: "elsewhere", timeout: "1s", retry: 1 },
      async (how: string): Promise<string> => {
        if (how === "fails") throw new Error("no");
        if (how === "hangs") return new Promise(() => {});
        return `${++round}`;
      },
    );
    const job = workflow({ name: "job" }, (ctx, how: string) => ctx.run(work, how));
    const env = environment({ workflows: [job] });
    running(env, { workflows: [job] });
    running(env, { queues: ["elsewhere"], activities: [work], lease: "300ms", ...slots(2) });
    const end = async (how: string, then?: "cancel" | "terminate"): Promise<void> => {
      const runs = [
        await env.client.start(job, how),
        await env.client.start(job, how),
        await env.client.start(job, how),
      ];
      await env.runtime.calm();
      if (then !== undefined) for (const run of runs) await run[then]();
      await pass(env, "3s");
      expect(await Promise.all(runs.map((run) => run.status()))).not.toContain("suspended");
    };
    await end("fails");
    await end("hangs");
    await end("hangs", "cancel");
    await end("hangs", "terminate");
    await end("ends");
    expect(round).toBe(3);
  });
});
