import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { intercepted } from "../../test/intercepted.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import type { ClaimResult } from "../storage.ts";

const go = signal<string>("go");

describe("a run that a worker has kept in memory", () => {
  it.each([
    ["goes on from there", false, 1],
    ["is replayed if its history has gone another way, as after a loss (I5)", true, 3],
  ])("%s", async (_, isOther, bodies) => {
    let begun = 0;
    const waiting = workflow({ name: "waiting" }, async (ctx) => {
      begun += 1;
      return [await ctx.waitFor(go), await ctx.waitFor(go)];
    });
    const clock = virtualClock();
    const storage = intercepted(memory({ clock }), {
      async claimTasks(call) {
        const answer = await call();
        return isOther ? elsewhere(answer) : answer;
      },
    });
    const env = environment({ workflows: [waiting], clock, storage });
    const run = await env.client.start(waiting, undefined);
    await env.runUntilIdle();
    for (const text of ["one", "two"]) {
      await run.signal(go, text);
      await env.runUntilIdle();
    }
    expect(await run.result()).toEqual(["one", "two"]);
    expect(begun).toBe(bodies);
  });
});

/** As if somebody else had made the last commit. */
function elsewhere(answer: ClaimResult): ClaimResult {
  const tasks = answer.tasks.map((task) => (task.kind === "workflow" ? { ...task, lastCommitId: "another" } : task));
  return { ...answer, tasks };
}
