import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { intercepted } from "../../test/intercepted.ts";
import { signal } from "../define/signal.ts";
import { step } from "../define/step.ts";
import { type AnyWorkflow, workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import type { Schema } from "../model/schema.ts";

const answers = signal<string[]>("answers");

const topic: Schema<{ topic: string }, { topic: string; questions: number }> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => ({ value: { questions: 2, ...(value as { topic: string }) } }),
  },
};

const assessment = workflow({
  name: "assessment",
  input: topic,
  state: { initial: { quiz: [] as string[], score: 0 } },
  steps: (step) => [
    step("generate-quiz", async (ctx, { topic, questions }) => {
      const quiz = await ctx.run("ask", () => Array.from({ length: questions }, (_, at) => `${topic} ${at + 1}?`));
      ctx.state.set("quiz", quiz);
    }),
    step("wait-for-answers", async (ctx) => {
      const given = await ctx.waitFor(answers);
      ctx.state.set("score", given.length / ctx.state.get("quiz").length);
    }),
    step("tell", async (ctx) => ctx.run("tell", () => null)),
  ],
});

describe.each(CACHES)("a stepped workflow, with %i runs kept in memory", (cacheRuns) => {
  it("runs its steps in order with the validated input; its result is its state; its history names them (I14)", async () => {
    const env = environment({ workflows: [assessment], cacheRuns });
    const run = await env.client.start(assessment, { topic: "law" });
    expect((await run.describe()).currentStep).toBeNull();
    await env.runUntilIdle();
    expect((await run.describe()).currentStep).toBe("wait-for-answers");
    await run.signal(answers, ["yes"]);
    await env.runUntilIdle();
    expect(await run.result()).toEqual({ quiz: ["law 1?", "law 2?"], score: 0.5 });
    expect((await run.describe()).currentStep).toBeNull();
    const marks = (await run.history()).flatMap(({ type, command, data }) =>
      type === "STEP_STARTED" || type === "STEP_COMPLETED" ? [`${type} ${data.step} ${command}`] : [],
    );
    expect(marks).toEqual([
      "STEP_STARTED generate-quiz 1",
      "STEP_COMPLETED generate-quiz 4",
      "STEP_STARTED wait-for-answers 5",
      "STEP_COMPLETED wait-for-answers 8",
      "STEP_STARTED tell 9",
      "STEP_COMPLETED tell 11",
    ]);
  });

  it("may have an output of its own", async () => {
    const definition = workflow({
      name: "definition",
      state: { initial: { n: 1 } },
      steps: (step) => [step("add", (ctx, by: number) => ctx.state.update(({ n }) => ({ n: n + by })))],
      output: async (ctx, by) => `${ctx.state.get("n")} after ${by}, ${await ctx.run("check", () => "checked")}`,
    });
    const stateless = workflow({ name: "stateless", steps: [step("one", (ctx) => ctx.sleep("1s"))] });
    const env = environment({ workflows: [definition, stateless], cacheRuns });
    const run = await env.client.start(definition, 2);
    const other = await env.client.start(stateless, undefined);
    await env.skip("1s");
    expect(await run.result()).toBe("3 after 2, checked");
    expect(await other.result()).toEqual({});
  });

  it("that fails or is cancelled says in which step", async () => {
    const definition = workflow({
      name: "definition",
      steps: (step) => [
        step("quick", async () => {}),
        step("slow", async (ctx) => ctx.sleep("1h")),
        step("bad", () => {
          throw new Error("no");
        }),
        step("never", async () => {}),
      ],
    });
    const env = environment({ workflows: [definition], cacheRuns });
    const [failed, cancelled] = [
      await env.client.start(definition, undefined),
      await env.client.start(definition, undefined),
    ];
    await env.skip("1m");
    await cancelled.cancel();
    await env.skip("1h");
    await expect(failed.result()).rejects.toMatchObject({ failure: { message: "no" } });
    expect(await failed.describe()).toMatchObject({ status: "failed", currentStep: "bad" });
    expect(await cancelled.describe()).toMatchObject({ status: "cancelled", currentStep: "slow" });
  });

  const changes: readonly (readonly [what: string, steps: readonly string[], asked: string])[] = [
    ["renamed", ["a", "x"], 'STEP_STARTED "x"'],
    ["removed", ["a"], "the code had already ended"],
    ["put elsewhere", ["b", "a"], 'STEP_STARTED "b"'],
    ["put before it", ["a", "new", "b"], 'STEP_STARTED "new"'],
  ];
  it.each(changes)("blocks an open run whose step was %s, with both sides named", async (_, names, asked) => {
    const stepped = (steps: readonly string[]): AnyWorkflow =>
      workflow({ name: "stepped", steps: steps.map((name) => step(name, (ctx) => ctx.sleep("1m"))) });
    const clock = virtualClock();
    const storage = memory({ clock });
    const env = environment({ workflows: [stepped(["a", "b"])], cacheRuns, storage, clock });
    const run = await env.client.start(stepped(["a", "b"]), undefined);
    await env.skip("90s");
    expect((await run.describe()).currentStep).toBe("b");
    const deployed = environment({ workflows: [stepped(names)], storage, clock, seed: "deployed", replays: false });
    await deployed.skip("1m");
    const { blocked } = await run.describe();
    expect(blocked?.code).toBe("determinism");
    expect(blocked?.message).toMatch(/history has STEP_STARTED "[ab]" as command [14]/u);
    expect(blocked?.message).toContain(asked);
  });
});

describe("the marks of steps", () => {
  it("cost no commit", async () => {
    const commits = async (definition: AnyWorkflow): Promise<number> => {
      const clock = virtualClock();
      let count = 0;
      const storage = intercepted(memory({ clock }), {
        commitTasks: (call) => {
          count++;
          return call();
        },
      });
      const env = environment({ workflows: [definition], storage, clock });
      const run = await env.client.start(definition, undefined);
      await env.skip("1h");
      await run.result();
      return count;
    };
    const plain = workflow({ name: "plain" }, async (ctx) => {
      await ctx.run("one", () => 1);
      await ctx.sleep("1m");
      await ctx.run("two", () => 2);
    });
    const stepped = workflow({
      name: "stepped",
      steps: (step) => [
        step("nothing", () => {}),
        step("one", (ctx) => ctx.run("one", () => 1)),
        step("sleep", (ctx) => ctx.sleep("1m")),
        step("two", (ctx) => ctx.run("two", () => 2)),
        step("nothing more", () => {}),
      ],
    });
    expect(await commits(stepped)).toBe(await commits(plain));
  });
});
