import { describe, expect, it } from "vitest";
import { environment, recordingLogger, type TestedEnvironment } from "../../test/environment.ts";
import { pass, running } from "../../test/workers.ts";
import { activity } from "../define/activity.ts";
import { workflow } from "../define/workflow.ts";
import { NonRetryableError } from "../errors/index.ts";
import { createTestEnvironment } from "../testing.ts";

const flaky = activity(
  { name: "flaky", retry: { maximumAttempts: 2, delay: "10s", jitter: 0 } },
  async (failures: number, { attempt }) => {
    if (attempt <= failures) throw new Error(`busy ${attempt}`);
    return attempt;
  },
);
const order = workflow({ name: "order" }, (ctx, failures: number) => ctx.run(flaky, failures));

function lines({ logs }: Pick<TestedEnvironment, "logs">): readonly string[] {
  return logs.map(({ level, message }) => `${level}: ${message}`);
}

describe("a worker's log", () => {
  it("has each attempt that failed, and says when the next is due", async () => {
    const env = environment({ workflows: [order] });
    const run = await env.client.start(order, 1, { id: "o-1" });
    expect(await env.result(run)).toBe(2);
    expect(lines(env)).toEqual([
      'warn: Attempt 1 of 2 of activity "flaky" of run "o-1" failed: busy 1. The next is due in 10000 ms.',
    ]);
    expect(env.logs[0]!.fields).toEqual({
      code: "attempt-failed",
      workflow: "order",
      runId: "o-1",
      activity: "flaky",
      attempt: 1,
    });
  });

  it("has the last attempt and the run that failed by it, with the errors; replays add nothing", async () => {
    const env = environment({ workflows: [order], cacheRuns: 0 });
    const run = await env.client.start(order, 9, { id: "o-1" });
    await expect(env.result(run)).rejects.toMatchObject({ code: "run-failed" });
    await env.restart();
    await env.skip("1h");
    expect(env.logs).toMatchObject([
      { level: "warn", fields: { code: "attempt-failed", attempt: 1 } },
      {
        level: "warn",
        message:
          'Attempt 2 of 2 of activity "flaky" of run "o-1" failed: busy 2. There is no other: its workflow gets the error.',
        fields: { code: "attempt-failed", attempt: 2, error: { message: "busy 2" } },
      },
      {
        level: "warn",
        message: expect.stringMatching(
          /^Run "o-1" of workflow "order" failed: Activity "flaky" failed after/u,
        ) as unknown,
        fields: { code: "run-failed", runId: "o-1", workflow: "order", error: { code: "activity-failed" } },
      },
    ]);
  });

  it("has a run that failed by its time-out", async () => {
    const slow = workflow({ name: "slow", timeout: "1h" }, (ctx) => ctx.sleep("1d"));
    const env = environment({ workflows: [slow] });
    const run = await env.client.start(slow, undefined, { id: "s-1" });
    await expect(env.result(run)).rejects.toMatchObject({ failure: { code: "timed-out" } });
    expect(env.logs).toMatchObject([{ level: "warn", fields: { code: "run-failed", runId: "s-1" } }]);
  });

  it("has attempts that were made for other workers, where they were made", async () => {
    const render = activity({ name: "render", queue: "gpu", retry: { delay: "1s", jitter: 0 } }, async () => {
      throw new NonRetryableError("no such film");
    });
    const film = workflow({ name: "film" }, (ctx) => ctx.run(render, undefined));
    const env = environment({ workflows: [film] });
    const { logs, logger } = recordingLogger();
    running(env, { activities: [render], queues: ["gpu"], logger });
    await env.client.start(film, undefined, { id: "f-1" });
    void env.worker.run();
    await pass(env, "5s");
    expect(logs).toMatchObject([
      { level: "warn", fields: { code: "attempt-failed", runId: "f-1", workflow: "film", activity: "render" } },
    ]);
  });

  it("is the console in a test environment, without what a test has fail on purpose", async () => {
    const written: unknown[] = [];
    const write = process.stderr.write;
    process.stderr.write = ((line: unknown) => written.push(line) > 0) as typeof write;
    const blocked = workflow({ name: "blocked" }, () => new Promise(() => {}));
    const env = createTestEnvironment({ workflows: [order, blocked] });
    try {
      const run = await env.client.start(order, 9);
      await expect(env.result(run)).rejects.toMatchObject({ code: "run-failed" });
      expect(written).toEqual([]);
      await env.client.start(blocked, undefined);
      await env.runUntilIdle();
      expect(written).toEqual([expect.stringContaining("non-durable-await")]);
    } finally {
      process.stderr.write = write;
      await env.close();
    }
  });
});
