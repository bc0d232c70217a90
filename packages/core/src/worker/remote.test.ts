import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { intercepted } from "../../test/intercepted.ts";
import { pass, running } from "../../test/workers.ts";
import type { Codec } from "../codec/codec.ts";
import { jsonCodec } from "../codec/json-codec.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import type { WorkflowEvent } from "../model/event.ts";
import type { Schema } from "../model/schema.ts";

const go = signal<string>("go");

function typesOf(history: readonly WorkflowEvent[]): readonly string[] {
  return history.map(({ type }) => type);
}

describe.each(CACHES)(
  "an activity of a queue that its run's worker does not serve, with %i runs kept in memory",
  (cacheRuns) => {
    const render = activity({ name: "render", queue: "gpu" }, async (n: number, { runId, workflow, name, attempt }) => [
      n * 2,
      runId,
      workflow,
      name,
      attempt,
    ]);
    const film = workflow({ name: "film" }, (ctx, n: number) => ctx.run(render, n));

    it("is executed by a worker that serves the queue and lists it, and has no workflows", async () => {
      const env = environment({ workflows: [film] });
      running(env, { workflows: [film], cacheRuns });
      running(env, { queues: ["gpu"], activities: [render] });
      const run = await env.client.start(film, 21, { id: "run-1" });
      await pass(env, "1s");
      expect(await run.result()).toEqual([42, "run-1", "film", "render", 1]);
      const history = await run.history();
      expect(typesOf(history)).toEqual([
        "WORKFLOW_STARTED",
        "ACTIVITY_SCHEDULED",
        "ACTIVITY_COMPLETED",
        "WORKFLOW_COMPLETED",
      ]);
      expect(history[1]!.data).toEqual({ activity: "render", where: "task", queue: "gpu", input: 21 });
      // The input stands in history once.
      expect(history[2]!.data).toEqual({ activity: "render", attempt: 1, output: [42, "run-1", "film", "render", 1] });
    });

    it("waits for such a worker as long as it takes, and describe() says for which queue", async () => {
      const env = environment({ workflows: [film] });
      running(env, { workflows: [film], cacheRuns });
      const other = activity({ name: "other", queue: "gpu" }, async () => "other");
      // Neither a worker that serves the queue and does not list it, nor one that lists it and does not serve the queue.
      running(env, { queues: ["gpu"], activities: [other] });
      running(env, { queues: ["default"], activities: [render] });
      const run = await env.client.start(film, 1);
      await pass(env, "1h");
      const described = await run.describe();
      expect(described).toMatchObject({
        status: "suspended",
        currentActivities: [{ name: "render", attempt: 1, retryAt: null, queue: "gpu" }],
        waitingFor: [{ what: "activity", name: "render", queue: "gpu" }],
      });
      expect(described.why).toBe('It waits for activity "render" from a worker that serves queue "gpu" and lists it.');
      running(env, { queues: ["gpu"], activities: [render] });
      await pass(env, "1s");
      expect(await run.result()).toContain(2);
    });

    it("is executed where its run is held by a worker that serves the queue, without a task", async () => {
      const env = environment({ workflows: [film], queues: ["default", "gpu"], cacheRuns });
      const run = await env.client.start(film, 1);
      await env.runUntilIdle();
      expect(await run.result()).toContain(2);
      expect(typesOf(await run.history())).toEqual(["WORKFLOW_STARTED", "ACTIVITY_COMPLETED", "WORKFLOW_COMPLETED"]);
    });

    it("runs beside activities that stay here, each result with its call", async () => {
      const local = activity({ name: "local" }, async (n: number) => n + 1);
      const mixed = workflow({ name: "mixed" }, (ctx) =>
        Promise.all([
          ctx.run(render, 1).then((outcome) => outcome[0]),
          ctx.run(local, 1),
          ctx.run("inline", () => 3),
          ctx.run(render, 2).then((outcome) => outcome[0]),
          ctx.sleep("1h").then(() => "slept"),
          ctx.waitFor(go),
        ]),
      );
      const env = environment({ workflows: [mixed] });
      running(env, { workflows: [mixed], cacheRuns });
      running(env, { queues: ["gpu"], activities: [render] });
      const run = await env.client.start(mixed, undefined);
      await pass(env, "1m");
      await run.signal(go, "went");
      await pass(env, "1h");
      expect(await run.result()).toEqual([2, 2, 3, 4, "slept", "went"]);
    });

    it("has the idempotency key and the values that it would have where its run is held", async () => {
      const values = [
        0,
        "",
        false,
        null,
        [],
        undefined,
        -0,
        Number.NaN,
        10n,
        new Date(5),
        new Map([[1, new Set([2])]]),
      ];
      const echo = activity({ name: "echo", queue: "gpu" }, async (value: unknown, { idempotencyKey }) => [
        value,
        idempotencyKey,
      ]);
      const all = workflow({ name: "all" }, async (ctx, input: unknown) => {
        const outputs: unknown[] = [];
        for (const value of input as unknown[]) outputs.push(await ctx.run(echo, value));
        return outputs;
      });
      const env = environment({ workflows: [all] });
      running(env, { workflows: [all], cacheRuns });
      running(env, { queues: ["gpu"], activities: [echo] });
      const run = await env.client.start(all, values);
      await pass(env, "1s");
      expect(await run.result()).toEqual(values.map((value, at) => [value, `${run.incarnation}-0-${at + 1}`]));
    });

    it("large inputs and outputs arrive; an output that is too large fails it at once, and says so", async () => {
      const large = "x".repeat(500_000);
      let executions = 0;
      const grow = activity({ name: "grow", queue: "gpu" }, async (text: string) => {
        executions++;
        return text.repeat(executions === 1 ? 1 : 3);
      });
      const growing = workflow({ name: "growing" }, async (ctx) => {
        const once = await ctx.run(grow, large);
        const failure = await ctx.run(grow, large).catch((error: unknown) => error);
        return [once.length, failure instanceof Error && failure.cause];
      });
      const env = environment({ workflows: [growing] });
      running(env, { workflows: [growing], cacheRuns });
      running(env, { queues: ["gpu"], activities: [grow] });
      const run = await env.client.start(growing, undefined);
      await pass(env, "1m");
      expect(await run.result()).toMatchObject([large.length, { code: "payload-too-large" }]);
      expect(executions).toBe(2);
    });

    it("a codec whose text is no JSON is the only one that sees its values", async () => {
      const codec: Codec = {
        encode: (value) => Buffer.from(jsonCodec.encode(value)).toString("base64"),
        decode: (text) => jsonCodec.decode(Buffer.from(text, "base64").toString()),
      };
      const secret = activity({ name: "secret", queue: "gpu", retry: 1 }, async (word: string) => {
        if (word === "bad") throw new RangeError("a bad word");
        return `${word}!`;
      });
      const definition = workflow({ name: "definition" }, (ctx) =>
        Promise.all(
          ["good", "bad"].map((word) => ctx.run(secret, word).catch((error: Error) => (error.cause as Error).message)),
        ),
      );
      const env = environment({ workflows: [definition], codec, replays: false });
      const delivered: string[] = [];
      const storage = intercepted(env.storage, {
        commitTasks: (call, [batch]) => {
          delivered.push(JSON.stringify(batch));
          return call();
        },
      });
      running(env, { workflows: [definition], codec, cacheRuns, storage });
      running(env, { queues: ["gpu"], activities: [secret], codec, storage });
      const run = await env.client.start(definition, undefined);
      await pass(env, "1s");
      expect(await run.result()).toEqual(["good!", "a bad word"]);
      expect(delivered.join()).not.toMatch(/good|bad/u);
    });

    it("schemas are asked where it is executed; what they refuse is not tried again", async () => {
      const number = (most: number): Schema<number, number> => ({
        "~standard": {
          version: 1,
          vendor: "test",
          validate: (value) =>
            typeof value === "number" && value <= most
              ? { value: value + 1 }
              : { issues: [{ message: `not up to ${most}` }] },
        },
      });
      const inputs: number[] = [];
      const checked = activity({ name: "checked", queue: "gpu", input: number(10), output: number(5) }, async (n) => {
        inputs.push(n);
        return n;
      });
      const definition = workflow({ name: "definition" }, (ctx) =>
        Promise.all(
          [1, 8, 99].map((n) => ctx.run(checked, n).catch((error: { cause: { code: string } }) => error.cause.code)),
        ),
      );
      const env = environment({ workflows: [definition] });
      running(env, { workflows: [definition], cacheRuns });
      running(env, { queues: ["gpu"], activities: [checked] });
      const run = await env.client.start(definition, undefined);
      await pass(env, "1h");
      expect(await run.result()).toEqual([3, "invalid-input", "invalid-input"]);
      expect(inputs).toEqual([2, 9]);
    });
  },
);
