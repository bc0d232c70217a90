import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { claimOne } from "../../test/port.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";

const go = signal<string>("go");
const wait = workflow({ name: "wait" }, (ctx) => ctx.waitFor(go));

describe("handle.describe", () => {
  it("says what the run waits for, and why it is not moving, at every stage", async () => {
    const flaky = activity({ name: "flaky", retry: { delay: "1h", jitter: 0 } }, async (_: undefined, { attempt }) => {
      if (attempt === 1) throw new Error("no");
    });
    const stages = workflow({ name: "stages" }, async (ctx) => {
      await ctx.run(flaky, undefined);
      await ctx.sleep("1d");
      await ctx.waitFor(go, { timeout: "2d" });
      await ctx.child(wait, undefined, { id: "kid" });
    });
    const env = environment({ workflows: [stages, wait] });
    const startedAt = env.clock.now();
    const at = (ms: number): string => new Date(startedAt + ms).toISOString();
    const hour = 3_600_000;
    const run = await env.client.start(stages, undefined, { startAt: hour });
    expect(await run.describe()).toMatchObject({ status: "pending", why: `Its start is due at ${at(hour)}.` });
    env.clock.advance(hour);
    expect((await run.describe()).why).toBe(
      `It has been ready since ${at(hour)} and no worker has taken it. Is a worker running that serves queue "default" and has workflow "stages"?`,
    );
    await env.runUntilIdle();
    expect(await run.describe()).toMatchObject({
      status: "suspended",
      currentActivities: [
        { name: "flaky", attempt: 2, retryAt: new Date(startedAt + 2 * hour), lastFailure: { message: "no" } },
      ],
      why: `It waits for attempt 2 of activity "flaky" at ${at(2 * hour)} (attempt 1 failed: no).`,
    });
    await env.skip(hour);
    expect(await run.describe()).toMatchObject({
      why: `It waits for a timer until ${at(26 * hour)}.`,
      waitingFor: [{ what: "timer", dueAt: new Date(startedAt + 26 * hour) }],
    });
    await env.skip("1d");
    expect(await run.describe()).toMatchObject({
      why: `It waits for signal "go" until ${at(74 * hour)}.`,
      waitingFor: [{ what: "signal", name: "go", dueAt: new Date(startedAt + 74 * hour) }],
    });
    await run.signal(go, "x");
    await env.runUntilIdle();
    expect((await run.describe()).why).toBe('It waits for child run "kid" of workflow "wait".');
    await env.client.handle("kid").signal(go, "x");
    await env.runUntilIdle();
    expect(await run.describe()).toMatchObject({
      status: "completed",
      why: `It ended as completed at ${at(26 * hour)}.`,
      closedAt: new Date(startedAt + 26 * hour),
      waitingFor: [],
      failure: null,
    });
  });

  it("says why a run failed or was cancelled", async () => {
    const failing = workflow({ name: "failing" }, async () => {
      throw new RangeError(`no money${"!".repeat(400)}`);
    });
    const env = environment({ workflows: [failing, wait] });
    const endedAt = new Date(env.clock.now()).toISOString();
    const failed = await env.client.start(failing, undefined);
    const cancelled = await env.client.start(wait, undefined);
    await env.runUntilIdle();
    await cancelled.cancel({ reason: "enough" });
    await env.runUntilIdle();
    expect(await failed.describe()).toMatchObject({
      why: `It ended as failed at ${endedAt}: no money${"!".repeat(291)}…`,
      failure: { name: "RangeError" },
      cancelRequested: null,
    });
    expect(await cancelled.describe()).toMatchObject({
      why: `It ended as cancelled at ${endedAt}: enough.`,
      failure: { code: "cancelled" },
      cancelRequested: { reason: "enough" },
    });
  });

  it("says that it was asked to cancel while that waits", async () => {
    const shielded = workflow({ name: "shielded" }, (ctx) => ctx.shield(() => ctx.waitFor(go)));
    const env = environment({ workflows: [shielded] });
    const run = await env.client.start(shielded, undefined);
    await env.runUntilIdle();
    await run.cancel({ reason: "enough" });
    const unread = expect.stringMatching(/A message waits for it in its inbox\.$/u) as unknown;
    expect(await run.describe()).toMatchObject({ cancelRequested: null, why: unread });
    const at = new Date(env.clock.now());
    await env.runUntilIdle();
    expect(await run.describe()).toMatchObject({
      status: "suspended",
      why: `It waits for signal "go". It was asked to cancel at ${at.toISOString()}: enough.`,
      cancelRequested: { at, reason: "enough" },
    });
  });

  it("names a deadline that wakes the run before what it waits for", async () => {
    const env = environment({ workflows: [wait] });
    const run = await env.client.start(wait, undefined, { timeout: "1h" });
    await env.runUntilIdle();
    const { deadlineAt, why } = await run.describe();
    expect(why).toBe(`It waits for signal "go"; it wakes at ${deadlineAt!.toISOString()} at the latest.`);
  });

  it("says what a run that is held waits for", async () => {
    const env = environment({ workflows: [] });
    const end = Promise.withResolvers<string>();
    const busy = workflow({ name: "busy" }, (ctx) => ctx.run("long", () => end.promise));
    await env.restart({ workflows: [busy] });
    const run = await env.client.start(busy, undefined);
    await env.skip("1m");
    expect(await run.describe()).toMatchObject({
      status: "running",
      why: expect.stringMatching(
        /^Worker .+ has it, with a lease until .+; it waits for attempt 1 of activity "long"\.$/u,
      ) as unknown,
    });
    end.resolve("done");
    expect(await env.result(run)).toBe("done");
  });

  it("says who holds it, and when that one has not come back", async () => {
    const env = environment({ workflows: [] });
    const run = await env.client.start(wait, undefined);
    await claimOne(env.storage, { workerId: "host/1", handlers: { workflows: ["wait"], activities: [] } });
    expect(await run.describe()).toMatchObject({
      status: "running",
      why: expect.stringContaining("Worker host/1 has it") as unknown,
    });
    env.clock.advance(10_000);
    expect(await run.describe()).toMatchObject({
      status: "suspended",
      why: expect.stringContaining("host/1 has not come back") as unknown,
    });
  });
});
