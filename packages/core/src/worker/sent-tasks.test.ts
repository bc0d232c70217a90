import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { activity } from "../define/activity.ts";
import { workflow } from "../define/workflow.ts";
import { createWorker } from "./worker.ts";

const render = activity({ name: "render", queue: "gpu" }, async (n: number) => n * 2);
const film = workflow({ name: "film" }, async (ctx, n: number) => ctx.run(render, n));

function warnings({ logs }: ReturnType<typeof environment>): readonly string[] {
  return logs.filter(({ level }) => level === "warn").map(({ message }) => message);
}

describe("activities that were sent to a queue where nobody takes them", () => {
  it("are warned of once, after a minute: with the queue, the activities and what to do", async () => {
    const env = environment({ workflows: [film] });
    const runs = [await env.client.start(film, 1), await env.client.start(film, 2)];
    void env.worker.run();
    await env.skip("50s");
    expect(warnings(env)).toEqual([]);
    await env.skip("10m");
    expect(warnings(env)).toEqual([
      expect.stringMatching(
        /Nobody has taken 2 activity tasks of queue "gpu".*"render".*run a worker that serves the queue/u,
      ),
    ]);
    const other = createWorker({
      storage: env.storage,
      runtime: env.runtime,
      workflows: [],
      activities: [render],
      queues: ["gpu"],
    });
    await other.runUntilIdle();
    await env.runUntilIdle();
    expect(await Promise.all(runs.map((run) => run.result()))).toEqual([2, 4]);
    await other.stop();
  });

  it("are no matter while somebody takes them", async () => {
    const env = environment({ workflows: [film] });
    const other = createWorker({
      storage: env.storage,
      runtime: env.runtime,
      workflows: [],
      activities: [render],
      queues: ["gpu"],
    });
    void env.worker.run();
    void other.run();
    const run = await env.client.start(film, 1);
    await env.skip("5m");
    expect(await run.result()).toBe(2);
    expect(warnings(env)).toEqual([]);
    await other.stop();
  });
});
